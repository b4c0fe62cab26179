#!/usr/bin/env python3
"""clang-tidy over the product's sources, in parallel, each file once per content.

tidy.py ROOT BUILD [--all | --record]: reads BUILD/compile_commands.json. tests/house/tidy_clean.txt says
of which content each file was last found clean; a file that it does not name was never looked at. Over
everything clang-tidy takes longer than a build, so without an option (in ctest) a run looks at no more than
SHARE of the named files: first those that changed since, then others; which ones depends on the content of
the tree, so that every commit checks another part of it.
--all looks at every file, --record does too and then writes tidy_clean.txt again. What was clean is
remembered in BUILD/../tidy by the hash of the file, every header of the tree that it reaches, and the
configuration. Exit 77: no clang-tidy here. The first thing checked is a planted mistake.
"""
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

FOLDERS = ("sdk", "agent", "model", "compute", "storage", "http", "gpu", "examples")
SHARE = 16
INCLUDE = re.compile(rb'^\s*#\s*include\s*"([^"]+)"', re.M)
# The analyser's path-sensitive checks take most of the time; they run where foreign bytes are read.
HOSTILE = re.compile(r"(gguf|safetensors|json|segment|keys|coding|files|config_file|memory_row|utf8)")


def reached(root, path, seen):
    """The files of the tree that `path` includes, itself first, each once."""
    if path in seen:
        return
    seen[path] = path.read_bytes()
    for name in INCLUDE.findall(seen[path]):
        for base in (root, root / "sdk" / "include"):
            header = base / name.decode()
            if header.is_file():
                reached(root, header, seen)


def fingerprint(root, path, command):
    seen = {}
    reached(root, path, seen)
    digest = hashlib.sha256((root / ".clang-tidy").read_bytes() + command.encode())
    for content in seen.values():
        digest.update(content)
    return digest.hexdigest()


def content_hash(path):
    """Of the file and of the header of its name: what an edit of it changes."""
    header = path.with_suffix(".h")
    content = path.read_bytes() + (header.read_bytes() if header.is_file() else b"")
    return hashlib.sha256(content).hexdigest()[:16]


class Sources:
    """The compiled files of the product: what is known of each, and where that is remembered."""

    def __init__(self, root, build):
        self.root, self.build = root, build
        self.memory = build.parent / "tidy"
        self.memory.mkdir(parents=True, exist_ok=True)
        self.record = root / "tests" / "house" / "tidy_clean.txt"
        self.hashes, self.marks = {}, {}
        for entry in json.loads((build / "compile_commands.json").read_text()):
            path = pathlib.Path(entry["directory"], entry["file"]).resolve()
            if not path.is_relative_to(root) or path.is_relative_to(build) or not path.is_file():
                continue
            name = str(path.relative_to(root))
            if name.split("/")[0] in FOLDERS:
                self.hashes[name] = content_hash(path)
                self.marks[name] = self.memory / fingerprint(root, path, entry["command"])

    def recorded(self):
        lines = (line.split() for line in self.record.read_text().splitlines())
        return {name: known for known, name in lines}

    def unproved(self):
        """Files that no run here has found clean just as they are."""
        return [name for name in sorted(self.marks) if not self.marks[name].exists()]

    def share(self):
        """What one bounded run looks at, and how many changed files it leaves out."""
        recorded = self.recorded()
        tree = hashlib.sha256("".join(f"{n}{h}" for n, h in sorted(self.hashes.items())).encode()).digest()
        known = [name for name in self.unproved() if name in recorded]
        changed = [name for name in known if recorded[name] != self.hashes[name]]
        others = [name for name in known if recorded[name] == self.hashes[name]]
        for names in (changed, others):
            names.sort(key=lambda name: hashlib.sha256(tree + name.encode()).digest())
        return (changed + others)[:SHARE], max(0, len(changed) - SHARE)

    def keep(self, name):
        self.marks[name].write_text(f"{self.hashes[name]} {name}\n")

    def write_record(self, failed):
        """A file stays recorded while it is what some run found clean, whatever its headers became."""
        proved = {mark.read_text().strip() for mark in self.memory.iterdir()}
        proved |= {f"{known} {name}" for name, known in self.recorded().items()}
        rows = {name: f"{known} {name}" for name, known in self.hashes.items() if name not in failed}
        clean = [rows[name] for name in sorted(rows) if rows[name] in proved]
        self.record.write_text("".join(row + "\n" for row in clean))
        return len(clean)


def tidy(root, build, name):
    """Whether the file is clean, and clang-tidy's words."""
    # A macro that declares a variable cannot put its name in parentheses.
    checks = "-bugprone-macro-parentheses"
    if not HOSTILE.search(pathlib.Path(name).name):
        checks += ",-clang-analyzer-*"
    arguments = ["clang-tidy", "--quiet", "-p", str(build), f"--checks={checks}"]
    # -Wno-unknown: flags of another compiler in the database are not this test's subject.
    arguments += ["--extra-arg=-Wno-unknown-warning-option", str(root / name)]
    run = subprocess.run(arguments, capture_output=True, text=True, check=False)
    return run.returncode == 0, run.stdout + run.stderr


def planted_mistake_is_found(root):
    with tempfile.TemporaryDirectory(dir=root / "build" if (root / "build").is_dir() else None) as folder:
        path = pathlib.Path(folder) / "planted.cc"
        path.write_text("struct A { virtual void F(); };\nstruct B : A { virtual void F(); };\n")
        run = subprocess.run(
            ["clang-tidy", "--quiet", f"--config-file={root / '.clang-tidy'}", str(path), "--", "-std=c++20"],
            capture_output=True, text=True, check=False)
        return "modernize-use-override" in run.stdout


def look_at(sources, names):
    """The files with complaints, which are printed as they come."""
    failed = set()
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        runs = {pool.submit(tidy, sources.root, sources.build, name): name for name in names}
        for run in concurrent.futures.as_completed(runs):
            ok, words = run.result()
            if ok:
                sources.keep(runs[run])
            else:
                failed.add(runs[run])
                print(f"== {runs[run]}\n{words}", flush=True)
    return failed


def main():
    root, build = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
    if shutil.which("clang-tidy") is None:
        print("skipped: no clang-tidy")
        return 77
    if not planted_mistake_is_found(root):
        print("clang-tidy accepts a planted mistake")
        return 1
    sources = Sources(root, build)
    gone = sorted(set(sources.recorded()) - set(sources.hashes))
    names, left = sources.share()
    if "--all" in sys.argv[3:] or "--record" in sys.argv[3:]:
        names, left, gone = sources.unproved(), 0, []
    failed = look_at(sources, names)
    if "--record" in sys.argv[3:]:
        print(f"{sources.write_record(failed)} of {len(sources.hashes)} files are recorded as clean")
    for name in gone:
        print(f"tests/house/tidy_clean.txt names {name}, which is not compiled: run scripts/tidy")
    print(f"{len(names)} of {len(sources.hashes)} files looked at, {len(failed)} with complaints, "
          f"{left} changed and {len(set(sources.hashes) - set(sources.recorded()))} new ones left to "
          "scripts/tidy")
    return 1 if failed or gone else 0


if __name__ == "__main__":
    sys.exit(main())
