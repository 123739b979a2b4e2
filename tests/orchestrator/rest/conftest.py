import pytest

from tests.browsing import chromium
from tests.fakes.gateway import FakeOwner, running_gateway


@pytest.fixture
def gateway(tmp_path):
    with running_gateway(tmp_path) as gateway:
        yield gateway


@pytest.fixture
def owner(gateway):
    with FakeOwner(gateway.broker, gateway.dubs, gateway.media) as owner:
        yield owner


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser
