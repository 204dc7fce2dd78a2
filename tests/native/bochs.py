"""The kernel on a PC with AVX-512, emulated by Bochs: no system, only a boot sector and the random cases."""

from __future__ import annotations

import os
import pty
import select
import time
from typing import TYPE_CHECKING

from native.building import HERE, NATIVE, kernel_sources, lacking, run

if TYPE_CHECKING:
    from pathlib import Path

PROGRAMS = ("gcc", "objcopy", "bochs")
BIOS, VGA = "/usr/share/bochs/BIOS-bochs-latest", "/usr/share/vgabios/vgabios.bin"
EMULATED = HERE / "emulated"
BARE = ("-std=gnu11", "-O2", "-ffreestanding", "-fno-pic", "-mno-red-zone", "-fno-stack-protector")
BARE += ("-fno-asynchronous-unwind-tables", "-fno-tree-loop-distribute-patterns")
CYLINDER = 16 * 63 * 512

CONFIG = """\
megs: 32
cpu: model=tigerlake, count=1, ips=100000000, reset_on_triple_fault=0
romimage: file={bios}
vgaromimage: file={vga}
ata0-master: type=disk, path="{folder}/disk.img", mode=flat, cylinders=8, heads=16, spt=63
boot: disk
display_library: term
sound: waveoutdrv=dummy, waveindrv=dummy
com1: enabled=1, mode=file, dev={folder}/serial.txt
log: {folder}/bochs.log
panic: action=fatal
error: action=ignore
info: action=ignore
debug: action=ignore
"""


def why_not() -> str:
    files = " ".join(path for path in (BIOS, VGA) if not os.path.exists(path))  # noqa: PTH110 - two names
    return lacking(*PROGRAMS) or (f"no such file: {files} (bochsbios, vgabios)" if files else "")


def build_disk(folder: Path, cases: int, seed: int) -> None:
    """A boot sector, behind it the kernel, the cases and bare.c."""
    defines = (f"-DCASES={cases}", f"-DSEED={seed}UL", f"-I{NATIVE}", f"-I{HERE}")
    own = [HERE / "cases.c", HERE / "reference.c", EMULATED / "bare.c"]
    objects = []
    for source in [*kernel_sources("pass.c", "source.c", "wide.c", "arm_sha.c"), *own]:
        objects.append(folder / f"{source.stem}.o")
        run("gcc", *BARE, *defines, "-include", EMULATED / "mended.h", "-c", source, "-o", objects[-1])
    run("gcc", "-DSECTORS=512", "-c", EMULATED / "boot.S", "-o", folder / "boot.o")
    linking = ("-nostdlib", "-static", "-no-pie", "-Wl,--build-id=none", "-Wl,-T", EMULATED / "linker.ld")
    run("gcc", *linking, folder / "boot.o", *objects, "-lgcc", "-o", folder / "bare.elf")
    for section in ("boot", "image"):
        run("objcopy", "-O", "binary", "-j", f".{section}", folder / "bare.elf", folder / section)
    disk = (folder / "boot").read_bytes() + (folder / "image").read_bytes()
    assert len(disk) <= 512 * 512
    (folder / "disk.img").write_bytes(disk.ljust(8 * CYLINDER, b"\0"))


def boot(folder: Path, seconds: float) -> str:
    """What it said on its serial port until it switched itself off. The emulator wants a terminal."""
    (folder / "bochsrc").write_text(CONFIG.format(bios=BIOS, vga=VGA, folder=folder))
    (folder / "debugger").write_text("c\n")  # continue: Debian's Bochs starts in its debugger
    process, terminal = pty.fork()
    if process == 0:
        os.environ["TERM"] = "vt100"
        os.execvp(
            "bochs", ["bochs", "-q", "-f", f"{folder}/bochsrc", "-rc", f"{folder}/debugger"]
        )  # pragma: no cover
    end = time.monotonic() + seconds
    shown = b""
    try:
        while time.monotonic() < end and b"shutdown requested" not in shown:
            if not select.select([terminal], [], [], 1)[0]:
                continue
            try:
                shown += os.read(terminal, 65536)
            except OSError:  # it has ended
                break
    finally:
        os.kill(process, 9)
        os.waitpid(process, 0)
        os.close(terminal)
    serial = folder / "serial.txt"
    return serial.read_text() if serial.exists() else shown.decode(errors="replace")
