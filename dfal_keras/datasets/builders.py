"""tensorflow-datasets builders of Quick-Draw and Shoe-Bag, for `tf.data` pipelines.

Importing this module registers both. `dfal_keras.datasets.load_data` does not use them.

Example:
    import tensorflow_datasets as tfds
    import dfal_keras.datasets.builders

    dataset = tfds.load("quick_draw", split="train", as_supervised=True)
"""

import itertools

import tensorflow_datasets as tfds

from dfal_keras.datasets import download, quick_draw, shoe_bag
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
        paths = self._paths(dl_manager)
        return {split: self._generate_examples(paths, split) for split in SPLITS}

    def _generate_examples(self, paths, split):
        for file in self.SOURCE.files:
            images = itertools.chain.from_iterable(
                image_batches(self.SOURCE, file, paths[file.name], split)
            )
            for position, image in enumerate(images):
                key = f"{file.class_name}_{position}"
                yield key, {"image": image, "label": file.class_name}

    def _urls(self):
        return {file.name: file.url for file in self.SOURCE.files}


class QuickDraw(_Builder):
    """Dolphins, cats, faces and angels of Quick, Draw!, split 80/20. CC BY 4.0."""

    SOURCE = quick_draw.SOURCE
    HOMEPAGE = "https://github.com/googlecreativelab/quickdraw-dataset"
    url_infos = download.url_infos(quick_draw.SOURCE)

    def _paths(self, dl_manager):
        return dl_manager.download(self._urls())


class ShoeBag(_Builder):
    """Shoes and handbags of the iGAN project, the last 2,000 of each for testing."""

    SOURCE = shoe_bag.SOURCE
    HOMEPAGE = "https://github.com/junyanz/iGAN"
    url_infos = download.url_infos(shoe_bag.SOURCE)  # empty: no checksums are known
    MANUAL_DOWNLOAD_INSTRUCTIONS = (
        f"Files expected in manual_dir: {download.describe_files(shoe_bag.SOURCE)}. If "
        "manual_dir is empty, they are downloaded."
    )

    def _paths(self, dl_manager):
        try:
            folder = dl_manager.manual_dir
        except AssertionError:  # raised by tensorflow-datasets if the folder is empty
            folders = dl_manager.download_and_extract(self._urls())
            return {name: folder / name for name, folder in folders.items()}
        return {file.name: folder / file.name for file in self.SOURCE.files}
