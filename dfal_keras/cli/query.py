"""The command `query`: rank the images of a pool that are most worth labeling."""

import pathlib
import tempfile
from collections.abc import Sequence

import numpy as np
import tqdm

from dfal_keras import ActiveLearner, _validation, strategies
from dfal_keras.backend import classifier, inference
from dfal_keras.cli import contact_sheet, model_files, pool_files, rankings
from dfal_keras.session import decoding

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
    if not no_sheet:
        _check_new_file("sheet", sheet, ".png")
    chosen_strategy = strategies.get(strategy)
    if num_candidates is not None:
        chosen_strategy.num_candidates = _validation.check_count(
            "num_candidates", num_candidates, minimum=num_queries
        )
    ranked = {path: rankings.read(path) for path in exclude}
    if cache is not None:
        _check_cache(cache, pool)
    trained = model_files.load_model(model, allow_lambda=allow_lambda)
    shape = _sample_shape(trained, image_size)
    with tempfile.TemporaryDirectory() as temporary:
        loaded = _load_pool(pool, shape, cache or temporary)
        images = loaded.images
        learner = ActiveLearner(
            _no_training,
            chosen_strategy,
            num_queries=num_queries,
            seed=seed,
            pool=images,
            model=trained,
        )
        if loaded.store:
            learner.ignore(np.flatnonzero(~loaded.store.is_present))
        num_images = len(images) - len(learner.ignored)
        _exclude(learner, loaded, ranked)
        num_left = len(images) - len(learner.ignored)
        if num_queries > num_left:
            raise ValueError(
                "Argument `num_queries` must be at most the number of images that are "
                f"not excluded, {num_left}. Received: num_queries={num_queries}"
            )
        print(f"{num_images} images; {strategy} chooses {num_queries}")
        query = learner.ask()
        queried = images[query.indices]
    probabilities = inference.predict_probabilities(trained, queried)
    rows = rankings.make_rows(query, probabilities, loaded.store)
    rankings.write(out, rows)
    print(f"{out}: fill in the column `label`")
    if no_sheet:
        return
    if not contact_sheet.is_drawable(queried):
        print(f"no picture: samples of shape {queried.shape[1:]} are not images")
        return
    _draw(sheet, query, queried, rows, trained)


def _check_new_file(name, path, suffix):
    if path.suffix != suffix or path.exists() or not path.parent.is_dir():
        raise ValueError(
            f"Argument `{name}` must name a new {suffix} file in an existing folder. "
            f"Received: {name}={str(path)!r}"
        )


def _check_cache(cache, pool):
    """Raise ValueError if the cache can't be used."""
    if pool_files.is_array(pool) or not cache.parent.is_dir() or cache.is_file():
        raise ValueError(
            "Argument `cache` must name a folder, for the images of a folder. "
            f"Received: cache={str(cache)!r}, pool={pool!r}"
        )


def _sample_shape(model, image_size):
    """Return the shape of the model's samples, with the size that the user chose."""
    shape = classifier.sample_shape(model)
    if image_size is None:
        return shape
    if (
        shape is None
        or len(shape) != 3
        or any(
            fixed not in (None, size)
            for fixed, size in zip(shape, image_size, strict=False)
        )
    ):
        raise ValueError(
            "Argument `image_size` must be a size of images that the model accepts. "
            f"Received: image_size={image_size}, a model for samples of shape {shape}"
        )
    channels = shape[2] or 3
    decoding.check_sample_shape("image_size", (*image_size, channels))
    return (*image_size, channels)


def _load_pool(path, sample_shape, cache):
    """Load the pool with a progress bar, and print which files are left out."""
    with tqdm.tqdm(unit=" images", desc="reading", leave=False, disable=None) as bar:

        def show(num_read, num_files):
            bar.total = num_files
            bar.update(num_read - bar.n)

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


def _no_training(x, y, seed):
    raise AssertionError("The command queries a trained model and labels nothing.")


def _draw(path, query, images, rows, model):
    """Write the contact sheet."""
    names = [pathlib.Path(row["file"]).name or str(row["index"]) for row in rows]
    captions = [
        # Matplotlib would typeset text between dollar signs as a formula.
        f"{row['rank']}. {name}\npredicted {row['predicted']}".replace("$", r"\$")
        for row, name in zip(rows, names, strict=True)
    ]
    counterparts = {}
    if len(query.adversarial_rows):
        examples = query.adversarial_examples
        predicted = inference.predict_logits(model, examples).argmax(axis=1)
        counterparts = {
            int(row): (example, f"adversarial\npredicted {label}")
            for row, example, label in zip(
                query.adversarial_rows, examples, predicted, strict=True
            )
        }
    contact_sheet.draw(path, images, captions, counterparts)
    extra = ", adversarial examples, differences" if counterparts else ""
    print(f"{path}: the queries{extra}")
