import pytest
from experiments.running import scheduling


@pytest.fixture(scope="session")
def cluster_option():
    """Options for runs on a worker that is kept: starting one takes seconds."""
    with scheduling.local_cluster(1) as cluster:
        yield ["--cluster", cluster.scheduler_address]
