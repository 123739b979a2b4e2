"""The page and the reference of the calls: static files of our own, nothing from any other host."""

from pathlib import Path

from fastapi import APIRouter, FastAPI
from starlette.responses import FileResponse
from starlette.staticfiles import StaticFiles

STATIC = Path(__file__).parent / "static"
_REVALIDATE = {"Cache-Control": "no-cache"}

router = APIRouter(include_in_schema=False)


@router.get("/")
async def page() -> FileResponse:
    """Return the page to upload, watch and compare."""
    return FileResponse(STATIC / "index.html", headers=_REVALIDATE)


@router.get("/docs")
async def docs() -> FileResponse:
    """Return the reference, which reads /openapi.json."""
    return FileResponse(STATIC / "docs.html", headers=_REVALIDATE)


def mount_static(app: FastAPI) -> None:
    """Serve scripts, styles and the icon."""
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
