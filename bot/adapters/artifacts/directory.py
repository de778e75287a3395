"""Artifacts in a directory, for one process or a shared volume."""

import os
from pathlib import Path
from tempfile import NamedTemporaryFile

from bot.adapters.artifacts.stored import ArtifactsAway, checked, digest_of, missing, place_of


class Directory:
    """`bot.ports.Artifacts`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, content: bytes) -> str:
        digest = digest_of(content)
        path = self._folder / place_of(digest)
        try:
            if not (path.exists() and path.read_bytes() == content):  # what is damaged there is mended
                self._store(path, content)
        except OSError as error:
            raise ArtifactsAway(
                f"{self._folder} takes no file ({error.strerror}), so nothing was recorded. Make room there, or let"
                " socmon write to it, and try again."
            ) from error
        return digest

    def read(self, digest: str) -> bytes:
        path = self._folder / place_of(digest)
        try:
            return checked(digest, path.read_bytes(), str(path))
        except FileNotFoundError as error:
            raise missing(digest, str(self._folder)) from error
        except OSError as error:
            raise ArtifactsAway(f"{path} cannot be read ({error.strerror}). Let socmon read it.") from error

    def _store(self, path: Path, content: bytes) -> None:
        """Whole and on disk, or not at all."""
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=path.parent, delete=False) as file:  # mode 0600
            try:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
                Path(file.name).replace(path)
            except BaseException:
                Path(file.name).unlink(missing_ok=True)
                raise
        for folder in (path.parent, self._folder):  # the second holds the first, which may be new
            opened = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(opened)
            finally:
                os.close(opened)
