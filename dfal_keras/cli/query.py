"""The command `query`: rank the images of a pool that are most worth labeling."""

import pathlib
import tempfile
from collections.abc import Sequence

import numpy as np

from dfal_keras import ActiveLearner, _validation, strategies
from dfal_keras.backend import inference
from dfal_keras.cli import pool_files, progress_bars
from dfal_keras.labeling import model_files
from dfal_keras.labeling.formats import csv_files
from dfal_keras.labeling.formats.queried_image import QueriedImage
from dfal_keras.labeling.images import decoding
from dfal_keras.labeling.views import contact_sheets

_NUM_NAMED = 5  # files that are no images


def run(
    *,
    model: str,
    pool: str,
    strategy: str,
    num_queries: int,
    num_candidates: int | None,
    out: pathlib.Path,
    sheet: pathlib.Path | None,
    no_sheet: bool,
    exclude: Sequence[pathlib.Path],
    cache: pathlib.Path | None,
    image_size: Sequence[int] | None,
    seed: int,
    allow_lambda: bool,
) -> None:
    """Write a ranking and a picture of its images.

    The arguments are the flags of the command; see `dfal_keras.cli.main`.

    Raises:
        ValueError: If an argument is invalid. No file is written then.
    """
    _check_new_file("out", out, ".csv")
    if sheet is None:
        sheet = pathlib.Path(f"{str(out).removesuffix('.csv')}.png")
    _validation.check_count("num_queries", num_queries)
    if not no_sheet:
        _check_new_file("sheet", sheet, ".png", ".pdf")
    chosen_strategy = _make_strategy(strategy, num_candidates, num_queries, pool)
    ranked = {path: csv_files.read_ranking(path) for path in exclude}
    if cache is not None:
        _check_cache(cache, pool)
    trained = model_files.load_model(model, allow_lambda=allow_lambda)
    shape = model_files.sample_shape(trained, image_size)
    with tempfile.TemporaryDirectory() as temporary:
        loaded = _load_pool(pool, shape, cache or temporary)
        images = loaded.images
        learner = ActiveLearner(strategy=chosen_strategy, seed=seed, pool=images)
        if loaded.store:
            learner.ignore(np.flatnonzero(~loaded.store.is_present))
        num_images = len(images) - len(learner.ignored)
        _exclude(learner, loaded, ranked)
        num_left = len(images) - len(learner.ignored)
        if num_queries > num_left:
            raise _validation.ArgumentError(
                "num_queries",
                "must be at most the number of images that are "
                f"not excluded, {num_left}. Received: num_queries={num_queries}",
            )
        if not no_sheet:  # their number is known to be small now
            for path in contact_sheets.page_paths(sheet, num_queries):
                _check_new_file("sheet", path, ".png", ".pdf")
        print(f"{num_images} images; {strategy} chooses {num_queries}")
        query = learner.choose(num_queries, model=trained)
        queried = images[query.indices]
    probabilities = inference.predict_probabilities(trained, queried)
    rows = _make_rows(query, probabilities, loaded.store)
    csv_files.write_ranking(out, rows)
    print(f"{out}: fill in the column `label`")
    if no_sheet:
        return
    if not contact_sheets.is_drawable(queried):
        print(f"no picture: samples of shape {queried.shape[1:]} are not images")
        return
    _draw(sheet, query, queried, rows, trained)


def _make_strategy(name, num_candidates, num_queries, pool):
    """Return the strategy, which clips adversarial examples of a folder's images."""
    strategy = strategies.get(name)
    if num_candidates is not None:
        strategy.num_candidates = _validation.check_count(
            "num_candidates", num_candidates, minimum=num_queries
        )
    if not pool_files.is_array(pool):
        decoding.set_pixel_bounds(strategy)
    return strategy


def _check_new_file(name, path, *suffixes):
    if path.suffix not in suffixes or path.exists() or not path.parent.is_dir():
        expected = " or ".join(suffixes)
        raise _validation.ArgumentError(
            name,
            f"must name a new {expected} file in an existing folder. "
            f"Received: {name}={str(path)!r}",
        )


def _check_cache(cache, pool):
    """Raise ValueError if the cache can't be used."""
    if pool_files.is_array(pool) or not cache.parent.is_dir() or cache.is_file():
        raise _validation.ArgumentError(
            "cache",
            "must name a folder, for the images of a folder. "
            f"Received: cache={str(cache)!r}, pool={pool!r}",
        )


def _load_pool(path, sample_shape, cache):
    """Load the pool with a progress bar, and print which files are left out."""
    with progress_bars.reading() as show:
        loaded = pool_files.load_pool(path, sample_shape, cache, show)
    if loaded.skipped:
        named = ", ".join(map(repr, loaded.skipped[:_NUM_NAMED]))
        more = ", ..." if len(loaded.skipped) > _NUM_NAMED else ""
        print(
            f"files that are no images, skipped: {len(loaded.skipped)} ({named}{more})"
        )
    for name, reason in loaded.broken:
        print(f"left out {name!r}: {reason}")
    return loaded


def _exclude(learner, loaded, ranked):
    """Ignore the images of earlier rankings."""
    for path, images in ranked.items():
        found = [row for row in map(loaded.find, images) if row is not None]
        size = len(loaded.images)
        learner.ignore(_validation.check_indices("exclude", found, size))
        if len(found) < len(images):
            num_gone = len(images) - len(found)
            print(f"{path}: {num_gone} of {len(images)} images are not in the pool")


def _make_rows(query, probabilities, store):
    """Return one row of the ranking for each queried image."""
    predicted = probabilities.argmax(axis=1)
    return [
        {
            "rank": rank + 1,
            "index": index if store is None else "",
            "file": store.names[index] if store else "",
            "sha256": store.hashes[index] if store else "",
            "score": "" if query.scores is None else f"{query.scores[rank]:.6g}",
            "predicted": predicted[rank],
            "probability": f"{probabilities[rank].max():.4f}",
            "label": "",
        }
        for rank, index in enumerate(query.indices.tolist())
    ]


def _draw(path, query, images, rows, model):
    """Write the contact sheets."""
    white = 255 if images.max() > 1 else 1
    counterparts = {}
    if len(query.companion_rows):
        examples = query.companions
        predicted = inference.predict_probabilities(model, examples).argmax(axis=1)
        counterparts = {
            int(row): (example * (255 / white), str(label))
            for row, example, label in zip(
                query.companion_rows, examples, predicted, strict=True
            )
        }
    queried = [
        QueriedImage(
            rank=row["rank"],
            file=row["file"] or str(row["index"]),
            sha256="",
            score=None,
            predicted=str(row["predicted"]),
            probability=float(row["probability"]),
            image=image * (255 / white),
            adversarial_example=example,
            adversarial_predicted=label,
        )
        for i, (row, image) in enumerate(zip(rows, images, strict=True))
        for example, label in [counterparts.get(i, (None, None))]
    ]
    paths = contact_sheets.write_sheets(path, queried)
    extra = ", adversarial examples, differences" if counterparts else ""
    print(f"{', '.join(map(str, paths))}: the queries{extra}")
