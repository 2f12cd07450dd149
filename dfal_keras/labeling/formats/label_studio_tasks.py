"""Tasks for Label Studio, and the labeling interface of their project.

The format is that of its documentation: https://labelstud.io/guide/predictions.
"""

import json
import math
import os
import re
import urllib.parse
from collections.abc import Sequence
from xml.sax import saxutils

from dfal_keras import _files
from dfal_keras.labeling.formats.queried_image import QueriedImage

# Names of the tags of `labeling_config`. Exports as JSON_MIN, CSV and TSV have a column
# with the name of the choice.
IMAGE = "image"
CHOICE = "label"
# Addresses in which names are percent-encoded.
URL = re.compile(r"https?://|/")


def labeling_config(classes: Sequence[str]) -> str:
    """Return the labeling interface of a project that asks for one class per image.

    Annotators who can't tell the class press "Skip".

    Args:
        classes: Names of the classes.

    Returns:
        XML, to paste into Settings > Labeling Interface > Code.

    Example:
        >>> from dfal_keras.labeling.formats import label_studio_tasks
        >>> print(label_studio_tasks.labeling_config(["cat", "dog & owner"]))
        <View>
          <Image name="image" value="$image" zoom="true"/>
          <Choices name="label" toName="image" choice="single" required="true">
            <Choice value="cat"/>
            <Choice value="dog &amp; owner"/>
          </Choices>
        </View>
    """
    choices = "\n".join(
        f"    <Choice value={saxutils.quoteattr(name)}/>" for name in classes
    )
    return f"""<View>
  <Image name="{IMAGE}" value="${IMAGE}" zoom="true"/>
  <Choices name="{CHOICE}" toName="{IMAGE}" choice="single" required="true">
{choices}
  </Choices>
</View>"""


def write_tasks(
    path: str | os.PathLike,
    queried: Sequence[QueriedImage],
    *,
    prefix: str = "",
    model_version: str = "dfal-keras",
) -> None:
    """Write tasks to import into Label Studio. The write is atomic.

    A task's data has the image's address, `file`, `sha256`, `rank` and `score`; its
    prediction is the model's class, with the probability as score. Label Studio does
    not count predictions as answers until an annotator submits them.

    Args:
        path: The JSON file to write.
        queried: The queried images.
        prefix: What precedes a file name in the image's address, such as
            `"https://example.com/images/"` or `"s3://bucket/images/"`. For files on
            the machine of Label Studio, `"/data/local-files/?d=images/"` with a folder
            below LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT: start it with
            LABEL_STUDIO_LOCAL_FILES_SERVING_ENABLED=true, and add this folder to the
            project as a source storage of type "Local files". File names are
            percent-encoded if the prefix begins with `http://`, `https://` or `/`.
            Defaults to `""`.
        model_version: Name of the model in Label Studio. Defaults to `"dfal-keras"`.
    """
    tasks = [_make_task(image, prefix, model_version) for image in queried]
    text = json.dumps(tasks, indent=1, ensure_ascii=False, allow_nan=False)
    _files.write_text(path, text + "\n")


def _make_task(image, prefix, model_version):
    """Return one task in the format for import."""
    name = urllib.parse.quote(image.file) if URL.match(prefix) else image.file
    return {
        "data": {
            IMAGE: prefix + name,
            "file": image.file,
            "sha256": image.sha256,
            "rank": image.rank,
            "score": _finite(image.score),
        },
        "predictions": [_make_prediction(image, model_version)]
        if image.predicted
        else [],
    }


def _make_prediction(image, model_version):
    chosen = {
        "id": f"prediction-{image.rank}",
        "type": "choices",
        "from_name": CHOICE,
        "to_name": IMAGE,
        "value": {"choices": [image.predicted]},
    }
    return {
        "model_version": model_version,
        "score": _finite(image.probability),
        "result": [chosen],
    }


def _finite(number):
    """Return a float, or `None` for what JSON has no number for."""
    is_finite = number is not None and math.isfinite(number)
    return float(number) if is_finite else None
