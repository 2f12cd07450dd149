"""The paper's `training(H, L_k)`."""

from dfal_keras.training.training import Training

__all__ = ["Training"]
