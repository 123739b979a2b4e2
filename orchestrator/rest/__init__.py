"""REST gateway and page (the only place that imports FastAPI)."""
