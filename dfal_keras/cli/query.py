"""The command `query`: rank the images of a pool that are most worth labeling."""

import pathlib
import tempfile
from collections.abc import Sequence

from dfal_keras import ActiveLearner, _validation, strategies
from dfal_keras.backend import classifier, inference
from dfal_keras.cli import model_files, pool_files, rankings
from dfal_keras.session import contact_sheets
from dfal_keras.session.queried_image import QueriedImage


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
        _check_new_file("sheet", sheet, ".png", ".pdf")
        _validation.check_count("num_queries", num_queries)
        for path in contact_sheets.page_paths(sheet, num_queries):
            _check_new_file("sheet", path, ".png", ".pdf")
    chosen_strategy = strategies.get(strategy)
    if num_candidates is not None:
        chosen_strategy.num_candidates = _validation.check_count(
            "num_candidates", num_candidates, minimum=num_queries
        )
    excluded = [index for path in exclude for index in rankings.read_indices(path)]
    trained = model_files.load_model(model, allow_lambda=allow_lambda)
    shape = classifier.sample_shape(trained)
    if image_size and shape and len(shape) == 3:
        shape = (*image_size, shape[2] or 3)
    with tempfile.TemporaryDirectory() as folder:
        images, names = pool_files.load_pool(pool, shape, folder)
        learner = ActiveLearner(
            _no_training,
            chosen_strategy,
            num_queries=num_queries,
            seed=seed,
            pool=images,
            model=trained,
        )
        learner.ignore(_validation.check_indices("exclude", excluded, len(images)))
        num_left = len(images) - len(learner.ignored)
        if num_queries > num_left:
            raise ValueError(
                "Argument `num_queries` must be at most the number of images that are "
                f"not excluded, {num_left}. Received: num_queries={num_queries}"
            )
        print(f"{len(images)} images; {strategy} chooses {num_queries}")
        query = learner.ask()
        queried = images[query.indices]
    probabilities = inference.predict_probabilities(trained, queried)
    rows = rankings.make_rows(query, probabilities, names)
    rankings.write(out, rows)
    print(f"{out}: fill in the column `label`")
    if no_sheet:
        return
    if not contact_sheets.is_drawable(queried):
        print(f"no picture: samples of shape {queried.shape[1:]} are not images")
        return
    _draw(sheet, query, queried, rows, trained)


def _check_new_file(name, path, *suffixes):
    if path.suffix not in suffixes or path.exists() or not path.parent.is_dir():
        expected = " or ".join(suffixes)
        raise ValueError(
            f"Argument `{name}` must name a new {expected} file in an existing folder. "
            f"Received: {name}={str(path)!r}"
        )


def _no_training(x, y, seed):
    raise AssertionError("The command queries a trained model and labels nothing.")


def _draw(path, query, images, rows, model):
    """Write the contact sheets."""
    white = 255 if images.max() > 1 else 1
    counterparts = {}
    if len(query.adversarial_rows):
        examples = query.adversarial_examples
        predicted = inference.predict_logits(model, examples).argmax(axis=1)
        counterparts = {
            int(row): (example * (255 / white), str(label))
            for row, example, label in zip(
                query.adversarial_rows, examples, predicted, strict=True
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
    paths = contact_sheets.write(path, queried)
    extra = ", adversarial examples, differences" if counterparts else ""
    print(f"{', '.join(map(str, paths))}: the queries{extra}")
