"""Which images to label next? `python -m dfal_keras query --help`."""

import argparse
import csv
import pathlib
import sys
import tempfile

from dfal_keras import _files
from dfal_keras.backend import quiet_import

_COLUMNS = ("rank", "index", "file", "score", "predicted", "probability", "label")


def main(arguments: list[str] | None = None) -> int:
    """Answer the command line; return the exit status."""
    options = _parser().parse_args(arguments)
    try:
        with quiet_import.quiet():
            import tensorflow  # noqa: F401
        _query(options)
    except (ValueError, OSError) as error:
        print(f"Stopped: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return 130
    return 0


def _parser():
    parser = argparse.ArgumentParser(prog="python -m dfal_keras", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    add = commands.add_parser(
        "query",
        help="rank the images of a pool that are most worth a label",
        description="Rank the images of a pool that are most worth a label, and show "
        "them with their adversarial twins.",
    ).add_argument
    add("--model", required=True, help="trained classifier, a .keras file")
    add(
        "--pool",
        required=True,
        help="unlabeled images: a folder (with subfolders), a .npy file, or an .npz "
        "file with one array or one named x; pixels as the model takes them",
    )
    add(
        "--strategy",
        default="dfal",
        help="dfal, bald, ceal, core_set, egl, uncertainty, random, or your own as "
        "module:Class (default: %(default)s)",
    )
    add("--num-queries", type=int, default=10, help="how many (default: %(default)s)")
    add(
        "--num-candidates",
        type=int,
        help="look at a random subset of this size; by default as the strategy does "
        "(dfal, bald, egl, core_set: see its num_candidates; the others: all)",
    )
    add("--out", required=True, type=pathlib.Path, help="the ranking, a .csv file")
    add("--sheet", type=pathlib.Path, help="the picture (default: --out, with .png)")
    add("--no-sheet", action="store_true", help="no picture")
    add(
        "--exclude",
        nargs="+",
        default=[],
        metavar="CSV",
        type=pathlib.Path,
        help="earlier rankings of the same pool: what they name is not asked again",
    )
    add(
        "--image-size",
        type=int,
        nargs=2,
        metavar=("HEIGHT", "WIDTH"),
        help="for a folder and a model that takes any size",
    )
    add("--seed", type=int, default=0, help="of whatever is random (%(default)s)")
    add(
        "--allow-lambda",
        action="store_true",
        help="load a model that holds Python code; only if you trust its origin",
    )
    return parser


def _query(options):
    from dfal_keras import ActiveLearner, _validation, strategies
    from dfal_keras.backend import classifier
    from dfal_keras.cli import loading

    sheet = None
    if not options.no_sheet:
        beside = f"{str(options.out).removesuffix('.csv')}.png"
        sheet = options.sheet or pathlib.Path(beside)
    for name, path, suffix in (("out", options.out, ".csv"), ("sheet", sheet, ".png")):
        if path is not None and (
            path.suffix != suffix or path.exists() or not path.parent.is_dir()
        ):
            raise ValueError(
                f"Argument `{name}` must name a new {suffix} file in a folder that is "
                f"there. Received: {str(path)!r}"
            )
    strategy = strategies.get(options.strategy)
    if options.num_candidates is not None:
        strategy.num_candidates = _validation.check_count(
            "num_candidates", options.num_candidates, minimum=options.num_queries
        )
    known = [index for path in options.exclude for index in _indices(path)]
    model = loading.load_model(options.model, allow_lambda=options.allow_lambda)
    shape = classifier.sample_shape(model)
    if options.image_size and shape and len(shape) == 3:
        shape = (*options.image_size, shape[2] or 3)
    with tempfile.TemporaryDirectory() as cache:
        pool, names = loading.load_pool(options.pool, shape, cache)
        learner = ActiveLearner(
            _no_training,
            strategy,
            num_queries=options.num_queries,
            seed=options.seed,
            pool=pool,
            model=model,
        )
        learner.ignore(known)
        num_left = len(pool) - len(learner.ignored)
        if options.num_queries > num_left:
            raise ValueError(
                f"Argument `num_queries` must be at most the {num_left} images that "
                f"are left to ask for. Received: {options.num_queries}"
            )
        print(f"{len(pool)} images; {options.strategy} chooses {options.num_queries}")
        query = learner.ask()
        _write(query, model, pool, names, options.out, sheet)


def _no_training(x, y, seed):
    raise AssertionError("a query of a trained model trains nothing")


def _write(query, model, pool, names, out, sheet):
    """Write the ranking and the contact sheet."""
    from dfal_keras.backend import inference
    from dfal_keras.cli import contact_sheet

    images = pool[query.indices]
    probabilities = inference.predict_probabilities(model, images)
    predicted = probabilities.argmax(axis=1)
    rows = [
        {
            "rank": rank + 1,
            "index": index,
            "file": names[index] if names else "",
            "score": "" if query.scores is None else f"{query.scores[rank]:.6g}",
            "predicted": predicted[rank],
            "probability": f"{probabilities[rank].max():.4f}",
            "label": "",
        }
        for rank, index in enumerate(query.indices.tolist())
    ]
    with _files.replacing(out, "t", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, _COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    print(f"{out}: fill in the column `label`")
    if sheet is None:
        return
    twins = twin_captions = None
    if len(query.adversarial_rows):
        twins, twin_captions = [None] * len(rows), [""] * len(rows)
        flipped = inference.predict_logits(model, query.adversarial_examples)
        for twin, row in enumerate(query.adversarial_rows):
            twins[row] = query.adversarial_examples[twin]
            twin_captions[row] = f"twin\npredicted {flipped[twin].argmax()}"
    captions = [
        f"{row['rank']}. {pathlib.Path(row['file']).name or row['index']}\n"
        f"predicted {row['predicted']}"
        for row in rows
    ]
    if not contact_sheet.is_drawable(images):
        print(f"no picture: samples of shape {images.shape[1:]} are no images")
        return
    contact_sheet.draw(sheet, images, captions, twins, twin_captions)
    print(f"{sheet}: the queries" + ("" if twins is None else ", twins, differences"))


def _indices(path):
    """Return the samples that an earlier ranking names."""
    try:
        with path.open(newline="") as file:
            rows = csv.DictReader(file)
            if "index" not in (rows.fieldnames or ()):
                raise ValueError("it has no column `index`")
            return [int(row["index"]) for row in rows]
    except (OSError, TypeError, ValueError) as error:
        raise ValueError(
            "Argument `exclude` must name rankings that this command wrote. "
            f"Received: {str(path)!r} ({error})"
        ) from error


if __name__ == "__main__":
    sys.exit(main())
