"""The service's folder: whose it is, and reading and writing there."""

import os
import pwd
import shutil
import sys

HOME = "/var/lib/zerotier-one"
USER = "zerotier-one"
CAPABILITIES = "+net_admin,+net_raw,+net_bind_service"


def move_to(folder: str) -> None:
    """Another folder than the default one: made where missing, and the secrets there closed to others (one.cpp)."""
    global HOME
    HOME = folder
    os.makedirs(HOME, mode=0o755, exist_ok=True)
    for name in ("identity.secret", "authtoken.secret"):
        if os.path.exists(f"{HOME}/{name}"):
            os.chmod(f"{HOME}/{name}", 0o600)


def become_user(program: str, arguments: list) -> None:
    """As the real one at each start: all of its folder becomes its user's, and it goes on as that user. Does not return
    when it was root; where there is no such user it stays root."""
    try:
        account = pwd.getpwnam(USER)
    except KeyError:
        return
    if os.getuid() != 0:
        return
    shutil.chown(HOME, account.pw_uid, account.pw_gid)
    for folder, folders, files in os.walk(HOME):
        for name in folders + files:
            os.chown(os.path.join(folder, name), account.pw_uid, account.pw_gid, follow_symlinks=False)
    # The capabilities go on to ip and nft, which this double runs and the real one has no need of. -U: dropped already.
    os.execv(
        "/usr/bin/setpriv",
        ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--init-groups", f"--inh-caps={CAPABILITIES}",
         f"--ambient-caps={CAPABILITIES}", program, "-U", *arguments],
    )  # fmt: skip


def read(name: str) -> str:
    """Empty when there is no such file."""
    try:
        with open(f"{HOME}/{name}", encoding="ascii") as file:
            return file.read()
    except FileNotFoundError:
        return ""


def write(name: str, text: str, mode: int = 0o644) -> bool:
    """In place, as the real one writes: a file that is somebody else's keeps its owner, or stays as it was. False: it
    could not be written, which is said in the journal and otherwise ignored."""
    path = f"{HOME}/{name}"
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w", encoding="ascii") as file:
            file.write(text)
    except OSError as fault:
        print(f"WARNING: unable to write to {path}: {fault.strerror}", file=sys.stderr, flush=True)
        return False
    return True


def remove(name: str) -> None:
    try:
        os.unlink(f"{HOME}/{name}")
    except OSError:
        pass
