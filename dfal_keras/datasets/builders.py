"""tensorflow-datasets builders of Quick-Draw and Shoe-Bag, for `tf.data` pipelines.

Importing this module registers both. `dfal_keras.datasets.load_data` does not use them.
It needs Python 3.11 or newer: there is no tensorflow-datasets that works on Python 3.10
beside the OR-Tools that CORE-SET needs.

Example:
    import tensorflow_datasets as tfds
    import dfal_keras.datasets.builders

    dataset = tfds.load("quick_draw", split="train", as_supervised=True)
"""

import itertools
import pathlib

import numpy as np
import tensorflow_datasets as tfds

from dfal_keras.datasets import download, quick_draw, shoe_bag, verification
from dfal_keras.datasets.prepared_arrays import PreparedDataset
from dfal_keras.datasets.source import SPLITS, Source, image_batches

_CITATION = """@article{ducoffe2018adversarial,
  title={Adversarial Active Learning for Deep Networks: a Margin Based Approach},
  author={Ducoffe, Melanie and Precioso, Frederic},
  journal={arXiv preprint arXiv:1802.09841},
  year={2018}
}"""


class _Builder(tfds.core.GeneratorBasedBuilder, skip_registration=True):  # type: ignore[call-arg]
    """Builder of a data set with one file for each class."""

    VERSION = tfds.core.Version("1.0.0")
    SOURCE: Source
    HOMEPAGE: str | None = None

    def _info(self):
        return tfds.core.DatasetInfo(
            builder=self,
            description=self.__doc__,
            features=tfds.features.FeaturesDict(
                {
                    "image": tfds.features.Image(shape=self.SOURCE.image_shape),
                    "label": tfds.features.ClassLabel(names=self.SOURCE.class_names),
                }
            ),
            supervised_keys=("image", "label"),
            homepage=self.HOMEPAGE,
            citation=_CITATION,
        )

    def _split_generators(self, dl_manager):
        # Not `dl_manager.download`, which retries for minutes without a connection.
        folder = self._manual_folder(dl_manager)
        if folder is None:
            data = PreparedDataset(self.SOURCE).load_data()
            images = {
                split: np.split(x, np.cumsum(self.SOURCE.num_images(split))[:-1])
                for split, (x, _) in zip(SPLITS, data, strict=True)
            }
        else:
            images = {split: self._read(folder, split) for split in SPLITS}
        return {split: self._generate_examples(images[split]) for split in SPLITS}

    def _manual_folder(self, dl_manager):
        """Return `manual_dir` if all files are there, and otherwise `None`."""
        try:
            folder = pathlib.Path(dl_manager.manual_dir)
        except AssertionError:  # raised by tensorflow-datasets if the folder is empty
            return None
        paths = [folder / file.name for file in self.SOURCE.files]
        if not all(path.is_file() for path in paths):
            return None
        for file, path in zip(self.SOURCE.files, paths, strict=True):
            verification.verify(self.SOURCE, file, path)
        return folder

    def _read(self, folder, split):
        """Return an iterator over the images of each class."""
        return [
            itertools.chain.from_iterable(
                image_batches(self.SOURCE, file, folder / file.name, split)
            )
            for file in self.SOURCE.files
        ]

    def _generate_examples(self, images_of_classes):
        for name, images in zip(
            self.SOURCE.class_names, images_of_classes, strict=True
        ):
            for position, image in enumerate(images):
                example = {"image": np.asarray(image), "label": name}
                yield f"{name}_{position}", example


def _instructions(source):
    return (
        f"Files used if they are in manual_dir: {download.describe_files(source)}. "
        "Otherwise, those in the data folder of dfal_keras are used, and downloaded "
        "to it if they are missing."
    )


class QuickDraw(_Builder):
    """Dolphins, cats, faces and angels of Quick, Draw!, split 80/20. CC BY 4.0."""

    SOURCE = quick_draw.SOURCE
    HOMEPAGE = "https://github.com/googlecreativelab/quickdraw-dataset"
    MANUAL_DOWNLOAD_INSTRUCTIONS = _instructions(quick_draw.SOURCE)


class ShoeBag(_Builder):
    """Shoes and handbags of the iGAN project, the last 2,000 of each for testing."""

    SOURCE = shoe_bag.SOURCE
    HOMEPAGE = "https://github.com/junyanz/iGAN"
    MANUAL_DOWNLOAD_INSTRUCTIONS = _instructions(shoe_bag.SOURCE)
