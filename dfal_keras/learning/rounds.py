"""The results of the rounds of Algorithm 1."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Round:
    """Results of one round of Algorithm 1.

    Attributes:
        round: k, from 0.
        num_annotations: Number of labels queried so far, the initial set included.
        num_labeled: Size of the training set L_k: annotations, companions and
            pseudo-labels.
        accuracy: Test accuracy of A_k, in [0, 1]. NaN without test data.
        loss: Test cross-entropy of A_k, in nats. NaN without test data.
        fit_seconds: Time to train A_k.
        evaluate_seconds: Time to test A_k.
        query_seconds: Time to choose the next queries. 0 in the last round.
        recalls: Test recall of each class: the fraction of its test samples that are
            predicted correctly, NaN for a class without any. Empty without test data.
        metrics: What `model.evaluate` returns for the metrics that the model is
            compiled with. Empty without any, or without test data.
    """

    round: int
    num_annotations: int
    num_labeled: int
    accuracy: float
    loss: float
    fit_seconds: float
    evaluate_seconds: float
    query_seconds: float
    recalls: tuple[float, ...] = ()
    metrics: dict[str, float] = dataclasses.field(default_factory=dict)

    def logs(self) -> dict[str, float]:
        """Return the numbers by name, as Keras's callbacks receive them.

        The recall of class 2 is named `recall_2`, a metric of the model by its name.
        """
        named = {
            field.name: getattr(self, field.name) for field in dataclasses.fields(self)
        }
        recalls, metrics = named.pop("recalls"), named.pop("metrics")
        return {
            **metrics,
            **named,
            **{f"recall_{label}": recall for label, recall in enumerate(recalls)},
        }
