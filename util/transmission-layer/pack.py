#!/usr/bin/env python3
"""Pack Debian packages into the layer's zip: ``pack.py ARCH LOCK DEBS OUTPUT``.

Called by build-transmission-lambda-layer.sh, which has fetched and verified the packages of LOCK into DEBS.

In the zip, and so below /opt in a Lambda function:

    bin/transmission-create        wrapper: the program under its own loader and libraries
    transmission/bin/              the programs
    transmission/lib/              the libraries, glibc and its loader; never lib/, which Lambda puts on
                                   LD_LIBRARY_PATH, where a second libc would kill the runtime
    transmission/copyright/        each package's copyright file
    transmission/manifest.json     each package's version, licence, source, sha256 and files

The bytes depend on the packages and on Python's zlib alone.
"""

from __future__ import annotations

import errno
import json
import re
import stat
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import NamedTuple, NoReturn

PROGRAMS = ("transmission-create", "transmission-edit", "transmission-show")
DLOPENED = ("libgcc_s.so.1",)  # glibc loads it by itself when a thread ends early
MULTIARCH = {"x86_64": "x86_64-linux-gnu", "arm64": "aarch64-linux-gnu"}
LOADER = {"x86_64": "ld-linux-x86-64.so.2", "arm64": "ld-linux-aarch64.so.1"}
# By source package: the licence of the libraries whose copyright file has no machine-readable form.
PLAIN_LICENCES = {
    "gcc": "GPL-3+ with GCC Runtime Library Exception",
    "glibc": "LGPL-2.1+",
    "gnutls28": "LGPL-2.1+",
    "krb5": "MIT",
    "libtasn1-6": "LGPL-2.1+",
    "rtmpdump": "LGPL-2.1+",
}
MORE_SPACE = "free some in the temporary folder, or set TMPDIR to another"
RELOCK = "renew the pins with --relock"
# Besides its own libraries the program must not see a loader's switches, or another OpenSSL's configuration.
WRAPPER = """\
#!/bin/sh
unset LD_LIBRARY_PATH LD_PRELOAD LD_AUDIT LD_BIND_NOW LD_DEBUG LD_PROFILE LD_SHOW_AUXV GLIBC_TUNABLES
t=${{0%/*}}/../transmission; [ -d "$t" ] || t=/opt/transmission
OPENSSL_CONF=/dev/null exec "$t/lib/{loader}" --inhibit-cache --library-path "$t/lib" "$t/bin/{program}" "$@"
"""


class Package(NamedTuple):
    name: str
    version: str
    sha256: str
    path: str
    root: Path
    """Where it is unpacked."""


def fail(message: str) -> NoReturn:
    sys.exit(f"build-transmission-lambda-layer: {message}")


def run(*command: str | Path, about: str) -> str:
    """What the command prints; where it fails, exit with a line: ``about``, the cause, the mend."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 -- ours
    if done.returncode:
        said = done.stderr.strip().splitlines() or [f"exit {done.returncode}"]
        # tar tells it of every file; what dpkg-deb says last is only that tar has failed.
        full = next((line for line in said if "No space left" in line or "Wrote only" in line), None)
        fail(f"{about}: {command[0]} failed: {full or said[-1]}: {MORE_SPACE if full else RELOCK}")
    return done.stdout


def unpack(lock: Path, debs: Path, into: Path) -> dict[str, Package]:
    packages = {}
    for line in lock.read_text().splitlines():
        if line.startswith("#"):
            continue
        name, version, sha256, path = line.split()
        packages[name] = Package(name, version, sha256, path, into / name)
        run("dpkg-deb", "-x", debs / Path(path).name, into / name, about=f"{name} {version}")
    return packages


def needed(binary: Path) -> list[str]:
    """The sonames in its dynamic section."""
    return re.findall(r"\(NEEDED\).*\[(.+)\]", run("readelf", "-d", "-W", binary, about=binary.name))


def closure(packages: dict[str, Package], arch: str) -> dict[str, tuple[Package, Path]]:
    """By soname, the package and file of everything the programs need, the loader included."""
    folders = [f"{usr}lib/{MULTIARCH[arch]}" for usr in ("", "usr/")]
    found: dict[str, tuple[Package, Path]] = {}
    cli = packages["transmission-cli"].root / "usr/bin"
    wanted = [(soname, program) for program in PROGRAMS for soname in needed(cli / program)]
    wanted += [(soname, "glibc") for soname in (LOADER[arch], *DLOPENED)]
    while wanted:
        soname, wanted_by = wanted.pop()
        if soname in found:
            continue
        places = [(p, p.root / f / soname) for p in packages.values() for f in folders]
        place = next(((p, file.resolve()) for p, file in places if file.is_file()), None)
        if place is None:
            fail(f"{soname}, needed by {wanted_by}, is in no pinned package: {RELOCK}")
        found[soname] = place
        wanted += [(further, soname) for further in needed(place[1])]
    return found


def copyright_of(package: Package, packages: dict[str, Package]) -> str:
    """The text of its copyright file; its folder may be a link to that of another package."""
    doc = Path("usr/share/doc")
    owner = package.name
    folder = package.root / doc / owner
    if folder.is_symlink():
        owner = folder.readlink().name
    file = packages[owner].root / doc / owner / "copyright" if owner in packages else None
    if file is None or not file.is_file():
        fail(f"{package.name} has no copyright file: it may not be passed on without one")
    return file.read_text(encoding="utf-8", errors="surrogateescape")


def licence_of(text: str, source: str) -> str:
    """What a machine-readable copyright file gives for ``Files: *``, else all it names; else our table's.

    It speaks of the source package as a whole; the copyright file has the licence of each part.
    """
    if not text.startswith("Format"):
        known = PLAIN_LICENCES.get(re.sub(r"-\d+$", "", source) if source.startswith("gcc-") else source)
        return known or "see the copyright file"
    paragraphs = re.split(r"\n\s*\n", text)
    main = [p for p in paragraphs if re.search(r"^Files:\s*\*\s*$", p, re.MULTILINE)]
    names = re.findall(r"^License:[ \t]*(\S.*)$", "\n".join(main) or text, re.MULTILINE)
    return ", ".join(sorted({name.strip() for name in names})) or "see the copyright file"


def contents(packages: dict[str, Package], arch: str, debs: Path) -> dict[str, tuple[int, bytes]]:
    """Name in the zip -> mode and bytes."""
    files: dict[str, tuple[int, bytes]] = {}
    origin: dict[str, list[str]] = {}
    cli = packages["transmission-cli"]
    for program in PROGRAMS:
        wrapper = WRAPPER.format(loader=LOADER[arch], program=program)
        files[f"bin/{program}"] = (0o755, wrapper.encode())
        files[f"transmission/bin/{program}"] = (0o755, (cli.root / "usr/bin" / program).read_bytes())
        origin.setdefault(cli.name, []).append(f"transmission/bin/{program}")
    for soname, (package, file) in closure(packages, arch).items():
        mode = 0o755 if soname == LOADER[arch] else 0o644
        files[f"transmission/lib/{soname}"] = (mode, file.read_bytes())
        origin.setdefault(package.name, []).append(f"transmission/lib/{soname}")
    described = []
    for name in sorted(origin):
        package = packages[name]
        text = copyright_of(package, packages)
        files[f"transmission/copyright/{name}"] = (0o644, text.encode("utf-8", "surrogateescape"))
        # Where the source package has the binary's own name and version, the field is left out.
        deb = debs / Path(package.path).name
        source = run("dpkg-deb", "-f", deb, "Source", about=f"{name} {package.version}").strip() or name
        source_name, _, source_version = source.partition(" ")
        described.append(
            {
                "name": name,
                "version": package.version,
                "licence": licence_of(text, source_name),
                "source": source_name,
                "sourceVersion": source_version.strip("()") or package.version,
                "sha256": package.sha256,
                "path": package.path,
                "files": sorted(origin[name]),
            }
        )
    manifest = {
        "builtBy": "util/build-transmission-lambda-layer.sh",
        "architecture": arch,
        "programs": [f"bin/{program}" for program in PROGRAMS],
        "packages": described,
    }
    files["transmission/manifest.json"] = (0o644, (json.dumps(manifest, indent=2) + "\n").encode())
    return files


def write_zip(files: dict[str, tuple[int, bytes]], output: Path) -> None:
    """Sorted names, one date, fixed modes: the same files give the same bytes."""
    with zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in sorted(files):
            mode, data = files[name]
            entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            entry.create_system = 3  # Unix: the mode counts
            entry.external_attr = (stat.S_IFREG | mode) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, data)


def main() -> None:
    arch, lock, debs, output = sys.argv[1], *map(Path, sys.argv[2:])
    with tempfile.TemporaryDirectory(dir=debs.parent) as unpacked:
        try:
            packages = unpack(lock, debs, Path(unpacked))
            write_zip(contents(packages, arch, debs), output)
        except OSError as error:
            fail(f"{error}: {MORE_SPACE if error.errno == errno.ENOSPC else 'run this again'}")


if __name__ == "__main__":
    main()
