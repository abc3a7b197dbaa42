"""How `make serve` begins: MLflow's server of a registered code.

Command: python -m latenthash.jobs.serve MODEL PORT
"""

import logging
import os
import shutil
import sys
from pathlib import Path

from latenthash.errors import InputError
from latenthash.jobs.at_hand import shipped_bundle
from latenthash.jobs.command.resolvers import store as store_uri
from latenthash.jobs.load import ARTIFACTS, DATABASE, EXPERIMENT
from latenthash.jobs.register import register_bundle
from latenthash.options.jobs import SHIPPED_CODES
from latenthash.system.calling import typed
from latenthash.tracking.experiment import Experiment
from latenthash.tracking.serving import ALIAS, is_updated, keep_updated, served
from latenthash.tracking.serving_http import PLACE
from latenthash.tracking.store import Store
from latenthash.tracking.ui import HOST, refuse_taken

SERVER = "uvicorn"  # which MLflow starts, and looks for on PATH
MAX_PIXELS = 40_000_000  # as in conf/job/register.yaml
# Variables of uvicorn's: those that are set already stay.
SETTINGS = {
    "UVICORN_HTTP": PLACE,
    "UVICORN_LIMIT_CONCURRENCY": "32",  # calls; more are told to come again (503)
    "UVICORN_LOG_LEVEL": "warning",  # the address stays in sight
}


def serve(name: str, port: str) -> None:
    """Print the address of a model's server, and become it.

    A code that ships is registered when nothing has its name, and again when the one that was
    registered so is of another latenthash; what the user registered by its name stays.

    Raises:
        InputError: if there is no such model, or another program has the port.
    """
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    if shutil.which(SERVER, path=path) is None:
        raise InputError(f"{SERVER} is not installed beside {sys.executable}: pip install mlflow")
    refuse_taken(port, "serve")
    here = Path.cwd()
    store = Store(
        Experiment(store_uri(here / DATABASE), EXPERIMENT, str(here / ARTIFACTS))
    )  # fmt: skip
    client = store.experiment.client
    with store.experiment.explained("read"):
        found = served(client, name)
        ours = found is None or is_updated(client, name, found)
    if name in SHIPPED_CODES and ours:
        register_bundle(store, shipped_bundle(name), name, MAX_PIXELS)
        with store.experiment.explained("written to"):
            keep_updated(client, name)
    elif found is None:
        raise InputError(
            f"No code is registered as {name} in {store.experiment}. Register one with: "
            f"{typed('evaluate')} run=RUN serve_as={name}"
        )
    sys.stdout.write(f"Post pictures to http://{HOST}:{port}/invocations   (Ctrl-C ends it)\n")
    sys.stdout.flush()  # this process becomes another
    environment = {
        **SETTINGS,
        **os.environ,
        "PATH": path,
        "MLFLOW_TRACKING_URI": store.experiment.address.text,
    }
    line = [sys.executable, "-m", "mlflow", "models", "serve", "--env-manager", "local"]
    line += ["--host", HOST, "--port", port, "--model-uri", f"models:/{name}@{ALIAS}"]
    os.execve(sys.executable, line, environment)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        serve(sys.argv[1], sys.argv[2])
    except InputError as problem:
        sys.stderr.write(f"{problem}\n")
        sys.exit(2)
