"""A machine in a folder, on which docs/operations.md is followed: where it differs from Debian's.

Everything that a command of the document is changed by stands here, and what is not run, with the
reason. The commands themselves are the document's.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
from dataclasses import dataclass, field
from pathlib import Path

from tests.wheels import ROOT

PAGE = ROOT / "docs" / "operations.md"
NAMES = ("manager", "second")
PASSWORD = "correct-horse-battery"

NOT_RUN = {
    "apt-get ": "changes the machine's packages, and needs the network",
    "useradd ": "changes the machine's users",
    "usermod ": "changes the machine's users",
    "certbot ": "asks Let's Encrypt, which asks the host by its name",
    "ln -sf /etc/letsencrypt/": "names what certbot makes",
    "/opt/registry/.venv/bin/pip install --require-hashes": "needs the network; see lend()",
    "journalctl ": "there is no journal",
    'echo "REDIS_URL=': "Redis is tried in tests/api/test_redis.py",
    "chown ": "there is no user of the server's own",
}
"""What is left out of the walk: how such a command begins, and why. Its words are parsed."""

OF_SYSTEMD = "systemctl "
"""There is no systemd: what it is told is noted, and done by the units' own words (Machine)."""


def blocks() -> list[list[str]]:
    """The commands of every block of the document, in order; each is for root."""
    found = []
    for block in re.findall(r"```console\n(.*?)```", PAGE.read_text(), re.DOTALL):
        lines = block.splitlines()
        assert all(line.startswith("# ") for line in lines), block
        found.append([line.removeprefix("# ") for line in lines])
    return found


def is_left_out(command: str) -> bool:
    """Whether a command is not run here."""
    return command.startswith(tuple(NOT_RUN))


@dataclass
class Machine:
    """A folder in place of /, a database server, and the ports of nginx."""

    root: Path
    database_port: int
    programs: Path
    tls_port: int
    plain_port: int
    said: dict[str, str] = field(default_factory=dict)
    """What the document names in capitals, once it is known."""
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def substitutions(self) -> dict[str, str]:
        """What stands in the document and in deploy/, and what stands here instead."""
        folders = (
            *("/opt/registry", "/etc/registry", "/var/lib/registry", "/var/lib/rehearsal"),
            *("/var/backups/registry", "/etc/systemd/system", "/etc/nginx/conf.d"),
            *("/etc/ssl/registry", "/usr/local/bin/registry", "/run/registry"),
            *("/var/log/nginx", "/root/"),
        )
        database = f"postgres://registry@127.0.0.1:{self.database_port}/"
        return {
            **{folder: f"{self.root}{folder}" for folder in folders},
            "postgres://%2Fvar%2Frun%2Fpostgresql/": database,
            "registry.example:443": f"localhost:{self.tls_port}",
            "https://registry.example": f"https://localhost:{self.tls_port}",
            "registry.example": "localhost",
            "listen 80;": f"listen 127.0.0.1:{self.plain_port};",
            "listen 443 ssl http2;": f"listen 127.0.0.1:{self.tls_port} ssl http2;",
            "listen [::]:80;": "",
            "listen [::]:443 ssl http2;": "",
            "runuser -u postgres -- ": "",
            "runuser -u registry -- ": "",
            " -o registry -g registry": "",
            "python3 -m venv": f"{sys._base_executable} -m venv",  # type: ignore[attr-defined]
            "nginx -t": f"nginx -t -p {self.root} -c {self.root}/nginx.conf",
            "registry createsuperuser": "registry createsuperuser --no-input",
            **self.said,
        }

    def here(self, text: str) -> str:
        """A text of the document or of deploy/ as it is on this machine."""
        known = self.substitutions
        either = "|".join(map(re.escape, sorted(known, key=len, reverse=True)))
        return re.sub(either, lambda found: known[found[0]], text)

    def make(self) -> None:
        """The folders that a Debian machine has, and the unpacked release with its wheel."""
        for folder in ("etc/systemd/system", "etc/nginx/conf.d", "usr/local/bin", "var/lib"):
            (self.root / folder).mkdir(parents=True)
        for folder in ("var/backups", "var/log/nginx", "run/registry", "root", "opt", "etc/ssl"):
            (self.root / folder).mkdir(parents=True, exist_ok=True)
        (self.root / "release" / "deploy").mkdir(parents=True)
        shutil.copy(ROOT / "requirements.txt", self.root / "release")
        for file in (ROOT / "deploy").iterdir():
            if file.is_file():
                copy = self.root / "release" / "deploy" / file.name
                copy.write_text(self.here(file.read_text()))
                copy.chmod(file.stat().st_mode)
        user = "user root;" if os.getuid() == 0 else ""
        temporary = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        places = "".join(f"{name}_temp_path {self.root}/{name};\n" for name in temporary)
        (self.root / "nginx.conf").write_text(
            f"daemon off; pid {self.root}/nginx.pid; {user}\n"
            f"error_log {self.root}/var/log/nginx/error.log;\nevents {{}}\n"
            f"http {{\n{places}include {self.root}/etc/nginx/conf.d/*.conf;\n}}\n"
        )

    def lend(self) -> None:
        """In place of pip over the network: the packages that run this test, and gunicorn."""
        venv = self.root / "opt/registry/.venv"
        (packages,) = venv.glob("lib/python*/site-packages")
        (packages / "lent.pth").write_text(sysconfig.get_path("purelib") + "\n")
        gunicorn = venv / "bin" / "gunicorn"
        gunicorn.write_text(f'#!/bin/sh\nexec {venv}/bin/python -m gunicorn "$@"\n')
        gunicorn.chmod(0o755)

    @property
    def environment(self) -> dict[str, str]:
        """What root's shell has; nothing of the settings of these tests."""
        path = [self.root / "usr/local/bin", self.programs, "/usr/sbin", "/usr/bin", "/bin"]
        return {
            "PATH": ":".join(map(str, path)),
            "HOME": str(self.root / "root"),
            "LC_ALL": "C.UTF-8",
            "PGHOST": "127.0.0.1",
            "PGPORT": str(self.database_port),
            "PGUSER": "postgres",
            "CURL_CA_BUNDLE": f"{self.root}/etc/ssl/registry/fullchain.pem",
            "PIP_NO_INDEX": "1",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "PYTHONPYCACHEPREFIX": os.environ.get("PYTHONPYCACHEPREFIX", f"{self.root}/bytecode"),
            "DJANGO_SUPERUSER_PASSWORD": PASSWORD,
        }

    def follow(self, commands: list[str], *, ends_with: int = 0) -> str:
        """Run a block's commands in one shell, as root would; returns what they said.

        ends_with: the exit code of the block's last command; those before it succeed.
        """
        names = iter(NAMES)
        lines = ["set -euo pipefail"]
        for command in commands:
            if is_left_out(command):
                lines.append(f"if false; then {command}; fi")  # parsed, and not run
            elif command.startswith(OF_SYSTEMD):
                lines.append(f'echo {self.here(command)} >> "{self.root}/systemctl"')
            elif command == "registry createsuperuser":
                lines.append(f"DJANGO_SUPERUSER_USERNAME={next(names)} {self.here(command)}")
            else:
                lines.append(self.here(command))
        ended = subprocess.run(
            ["bash", "-c", "\n".join(lines)],
            cwd=self.root / "release",
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=600,
        )
        said = f"{ended.stdout}{ended.stderr}"
        assert ended.returncode == ends_with, f"{commands}\n{said[-4000:]}"
        if commands[0].startswith("python3 -m venv"):
            self.lend()
        self._obey()
        return said

    def _obey(self) -> None:
        """Do what systemctl was told in a block: start, stop and restart the two servers."""
        noted = self.root / "systemctl"
        for line in noted.read_text().splitlines() if noted.exists() else ():
            _systemctl, verb, *names = line.split()
            for name in names:
                if name.startswith("registry@"):
                    assert (self.root / "etc/systemd/system" / name).exists(), name
                elif name in {"registry", "nginx"}:
                    if verb in {"stop", "restart"}:
                        self.stop(name)
                    if verb in {"enable", "start", "restart"}:
                        self._start(name)
                else:
                    assert name.startswith("--"), line
        noted.unlink(missing_ok=True)

    def _start(self, name: str) -> None:
        if name in self.running:
            return
        if name == "nginx":
            command = ["nginx", "-p", str(self.root), "-c", str(self.root / "nginx.conf")]
            said, where = self.environment, self.root
        else:
            unit = (self.root / "etc/systemd/system/registry.service").read_text()
            told = dict(line.split("=", 1) for line in unit.splitlines() if "=" in line)
            command, where = told["ExecStart"].split(), Path(told["WorkingDirectory"])
            lines = Path(told["EnvironmentFile"]).read_text().splitlines()
            kept = {name: self.environment[name] for name in ("PATH", "PYTHONPYCACHEPREFIX")}
            said = {**kept, **dict(line.split("=", 1) for line in lines), "WEB_CONCURRENCY": "1"}
        log = (self.root / f"{name}.log").open("ab")
        self.running[name] = subprocess.Popen(
            command, cwd=where, env=said, stdout=log, stderr=log, umask=0o077
        )
        log.close()

    def leave(self) -> None:
        """Stop the servers, and leave nothing of the folder, nor of its bytecode."""
        self.stop("nginx")
        self.stop("registry")
        shutil.rmtree(self.root)
        prefix = Path(self.environment["PYTHONPYCACHEPREFIX"])
        shutil.rmtree(prefix / self.root.relative_to("/"), ignore_errors=True)

    def stop(self, name: str) -> None:
        """Stop a server, if it runs."""
        if process := self.running.pop(name, None):
            process.send_signal(signal.SIGTERM)
            process.wait(30)
