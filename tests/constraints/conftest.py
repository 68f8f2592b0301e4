import pytest


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    """Results of an earlier run of the tests must not stand in for the tools."""
    monkeypatch.setenv("PIMLICO_CACHE", str(tmp_path / "cache"))
