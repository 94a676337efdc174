"""What the comparisons with PyTorch share: the machine, and building our side."""
import os
import platform
import shlex
import subprocess
import sys

FOLDER = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(FOLDER))


def say(text):
    print(text, file=sys.stderr, flush=True)


def fail(text):
    sys.exit(f"bench: {text}")


def cpu():
    """The processor's name and instruction sets."""
    name, flags = platform.processor() or platform.machine(), set()
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as f:
            for line in f:
                key, _, value = line.partition(":")
                if key.strip() == "model name":
                    name = value.strip()
                elif key.strip() == "flags":
                    flags = set(value.split())
    except OSError:
        pass
    return name, flags


COMMANDS = {}  # side: the command that was run for it first, as a shell takes it


def note_command(side, command, env):
    """Keeps what is run for a side, for print_commands: without the folders of this machine."""
    words = [os.path.basename(w) if w.endswith(".test") else os.path.relpath(w, ROOT) if w.startswith(ROOT + os.sep) else w for w in command]
    COMMANDS.setdefault(side, " ".join([f"{k}={v}" for k, v in env.items()] + [shlex.quote(w) for w in words]))


def print_commands():
    for side, command in COMMANDS.items():
        print(f"{side}: {command}")


def tags():
    """The build tags for what is on this machine."""
    return subprocess.run([os.path.join(ROOT, "scripts", "deps"), "--tags"], capture_output=True, text=True, check=True).stdout.strip()


def build(tags, folder, package="train"):
    """Builds a package's benchmarks once; returns the program's path."""
    out = os.path.join(folder, package + ".test")
    command = ["go", "test", "-c", "-o", out] + (["-tags", tags] if tags else []) + ["./pkg/" + package]
    note_command("build " + package, command, {})
    say("bench: " + " ".join(command))
    if subprocess.run(command, cwd=ROOT, env=dict(os.environ, GOFLAGS=""), check=False).returncode:
        fail("the benchmark does not build")
    return out


def suitable_core(blas_core, flags):
    """The core to name where OpenBLAS mistakes the processor, else None."""
    if "OPENBLAS_CORETYPE" in os.environ or blas_core not in ("Prescott", "Core2", "Nehalem"):
        return None
    return "SkylakeX" if {"avx512f", "avx512dq", "avx512bw", "avx512vl"} <= flags else "Haswell" if "avx2" in flags else None
