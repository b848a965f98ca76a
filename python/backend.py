# SPDX-License-Identifier: Apache-2.0
"""
Builds the wheel (PEP 517) from this directory and a build of weir: the one of WEIR_BUILD, else ../build. Library,
program, headers and bundled extensions are taken as `meson install` gives them. The same inputs give the same bytes.
"""

import base64
import hashlib
import os
import pathlib
import shutil
import stat
import subprocess
import sysconfig
import tempfile
import tomllib
import zipfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent


def project():
    found = tomllib.loads((HERE / "pyproject.toml").read_text())["project"]
    version = subprocess.run([ROOT / "scripts/version"], check=True, stdout=subprocess.PIPE, text=True)
    return {**found, "version": version.stdout.strip()}


def metadata(project):
    lines = ["Metadata-Version: 2.4", f"Name: {project['name']}", f"Version: {project['version']}"]
    lines += [f"Summary: {project['description']}", f"License-Expression: {project['license']}"]
    lines += [f"Requires-Python: {project['requires-python']}"]
    lines += [f"Classifier: {text}" for text in project["classifiers"]]
    lines += [f"Requires-Dist: {text}" for text in project["dependencies"]]
    lines += ["License-File: LICENSE", "Description-Content-Type: text/markdown", ""]
    return "\n".join(lines) + "\n" + (HERE / "README.md").read_text()


def stage(build, directory):
    """The native files as they lie in the package."""
    venv = subprocess.run([ROOT / "scripts/venv", "build"], check=True, stdout=subprocess.PIPE, text=True)
    command = [f"{venv.stdout.strip()}/bin/meson", "install", "-C", build, "--no-rebuild", "--quiet"]
    subprocess.run([*command, "--strip", "--destdir", directory], check=True, stdout=subprocess.DEVNULL)
    (program,) = directory.glob("**/bin/weir")
    (library,) = [path for path in directory.glob("**/libweir.so.*") if not path.is_symlink()]
    # Where the library lies beside the program is the installation's choice, which the program knows.
    native, libdir = directory / "native", library.parent.relative_to(program.parent.parent)
    (native / "bin").mkdir(parents=True)
    (native / libdir).mkdir(parents=True)
    shutil.copy2(program, native / "bin/weir")
    # The program asks for the library by its soname; a wheel has no links.
    soname = next(path.name for path in library.parent.glob("libweir.so.?") if path.is_symlink())
    shutil.copy2(library, native / libdir / soname)
    shutil.copytree(program.parent.parent / "include", native / "include")
    extensions = library.parent / "weir/extensions"
    if extensions.is_dir():
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(extensions, native / libdir / "weir/extensions", ignore=ignore)
    return native


class Wheel:
    """A zip with times that are always the same, and the list of its files."""

    def __init__(self, path):
        self.zip = zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=6)
        self.record = []

    def add(self, name, data, executable=False):
        info = zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0))
        info.external_attr = (stat.S_IFREG | (0o755 if executable else 0o644)) << 16
        info.compress_type = zipfile.ZIP_DEFLATED
        self.zip.writestr(info, data)
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        self.record.append(f"{name},sha256={digest},{len(data)}")

    def add_tree(self, directory, name):
        for path in sorted(directory.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                executable = bool(path.stat().st_mode & stat.S_IXUSR)
                self.add(f"{name}/{path.relative_to(directory).as_posix()}", path.read_bytes(), executable)

    def close(self, name):
        self.record.append(f"{name},,")
        self.add(name, ("\n".join(self.record) + "\n").encode())
        self.zip.close()


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    about = project()
    platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
    tag = f"py3-none-{platform}"
    head = f"{about['name']}-{about['version']}"
    build = pathlib.Path(os.environ.get("WEIR_BUILD") or ROOT / "build").resolve()
    file = f"{head}-{tag}.whl"
    with tempfile.TemporaryDirectory(prefix="weir-wheel-") as directory:
        native = stage(build, pathlib.Path(directory))
        wheel = Wheel(pathlib.Path(wheel_directory) / file)
        wheel.add_tree(HERE / "weir", "weir")
        wheel.add_tree(native, "weir/native")
    wheel.add("weir/native/VERSION", f"{about['version']}\n".encode())
    info = f"{head}.dist-info"
    scripts = "".join(f"{name} = {target}\n" for name, target in about["scripts"].items())
    wheel.add(f"{info}/METADATA", metadata(about).encode())
    wheel.add(f"{info}/WHEEL", f"Wheel-Version: 1.0\nGenerator: weir\nRoot-Is-Purelib: false\nTag: {tag}\n".encode())
    wheel.add(f"{info}/entry_points.txt", f"[console_scripts]\n{scripts}".encode())
    wheel.add(f"{info}/licenses/LICENSE", (ROOT / "LICENSE").read_bytes())
    wheel.close(f"{info}/RECORD")
    return file
