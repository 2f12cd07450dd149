"""Queried images with names that are hard to pass on."""

import dataclasses

import numpy as np

from dfal_keras.labeling.formats.queried_image import QueriedImage

CLASSES = ("cat", "dog & owner", 'owl "snowy" <ü>')
NAMES = (
    "cat 1.png",
    "sub/owl,2;.png",
    "ü#%&?.png",
    "=1+1.png",
    "line\nbreak.png",
    '"quoted" <b>.png',
)


def checksum(rank):
    """Return what stands for the checksum of an image."""
    return f"{rank:064x}"


def make(names=NAMES, **changes):
    """Return one queried image for each name."""
    queried = [
        QueriedImage(
            rank=rank,
            file=name,
            sha256=checksum(rank),
            score=rank / 3,
            predicted=CLASSES[rank % len(CLASSES)],
            probability=1 - rank / 8,
            image=np.full((4, 4, 3), rank, np.uint8),
        )
        for rank, name in enumerate(names, start=1)
    ]
    return [dataclasses.replace(query, **changes) for query in queried]
