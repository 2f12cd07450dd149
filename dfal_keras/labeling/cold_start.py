"""The beginning of a session: diverse queries until the model can choose."""

import keras
import numpy as np

from dfal_keras import kcenter
from dfal_keras.backend import inference
from dfal_keras.labeling import predictions, training_history
from dfal_keras.labeling.session import Session
from dfal_keras.strategies import Query, Strategy

_FEW = 3  # labels of each class
_MOST = 20  # labels for each class in the mean; rare classes may not be found


class DiverseImages(Strategy):
    """Images that are far apart in the features of a pretrained network.

    Greedy k-center on features of unit length. For five classes of MNIST with shares of
    60, 20, 10, 5 and 5 %, in the features of a network trained on the other five, it
    finds one image of each class within 11 queries and three within 33; RANDOM within
    28 and 81; k-center on features as they are within 12 and 58 (means of 20 trials, by
    `reproduce/benchmarks/cold_start.py`).
    """

    num_candidates = 2000

    def select(
        self, model, x_unlabeled, num_queries: int, x_labeled, rng: np.random.Generator
    ) -> Query:
        """See `Strategy.query`."""
        features = _unit_features(model, x_unlabeled)
        num_candidates = len(features)
        if x_labeled is not None:
            features = np.concatenate([features, _unit_features(model, x_labeled)])
        labeled = np.arange(num_candidates, len(features))
        found = kcenter.greedy(features, labeled, num_queries)
        return Query(found.centers)


def _unit_features(model, images):
    """Return features of unit length, of shape `(num_images, num_features)`."""
    return inference.unit_length(inference.predict_features(model, images))


def plan(session: Session, model: keras.Model | None) -> str | None:
    """Return why the strategy can't choose the next query, `None` if it can.

    An adversarial or uncertain query needs a model that knows the classes. A model that
    predicts one class for nearly all images, although several are labeled, does not.

    Args:
        session: The session.
        model: Its latest model, `None` if it is not trained.
    """
    if model is None:
        return "the model is not trained yet"
    if not training_history.read(session.folder).trainings:
        return None  # the model was trained before the session
    labels = session.learner.labeled.labels
    num_classes = len(session.settings.classes)
    counts = np.bincount(labels, minlength=num_classes)
    if counts.min() < _FEW and len(labels) < _MOST * num_classes:
        lacking = session.settings.classes[int(counts.argmin())]
        known = {0: "is no label", 1: "is only 1 label"}
        few = known.get(int(counts.min()), f"are only {counts.min()} labels")
        return f"there {few} of {lacking}"
    share, label = predictions.share_of_one_class(model, session.store.pool)
    if share > predictions.NEARLY_ALL and counts[label] < 0.9 * len(labels):
        name = session.settings.classes[label]
        return f"the model predicts {name} for {share:.0%} of the images"
    return None


def strategy(session: Session) -> tuple[Strategy | None, keras.Model | None]:
    """Return the strategy and the model of a diverse query.

    Images that are far apart in the features of a pretrained network; without such
    features, images at random: `(None, None)`.
    """
    if not session.settings.is_pretrained:
        return None, None
    return DiverseImages(), session.load_model("initial_model.keras")
