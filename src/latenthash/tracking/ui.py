"""MLflow's UI: the addresses of its pages, and how `make ui` starts it.

Command: python -m latenthash.tracking.ui PORT
"""

import os
import socket
import sys
from urllib.parse import urlencode

from latenthash.errors import InputError
from latenthash.tracking.experiment import Experiment
from latenthash.tracking.store import Store
from latenthash.tracking.store_uri import StoreURI

HOST = "127.0.0.1"
EXPERIMENT = "latenthash"  # logger.experiment_name, unless it was set


def runs_page(experiment_id: str, **query: str) -> str:
    """Return the address of the list of an experiment's runs, seen from MLflow's own.

    Args:
        experiment_id: the experiment.
        query: what the list takes, such as searchFilter, orderByKey and orderByAsc. Unless it is
            sorted by time, it shows the jobs of a sweep beside each other, not within it.
    """
    # Without it the page opens on traces, of which there are none.
    query = {"workflowType": "machine_learning", **query}
    return f"#/experiments/{experiment_id}/runs?{urlencode(query)}"


def serve(port: str) -> None:
    """Print the address of the runs, and become MLflow's UI.

    Raises:
        InputError: if there is no database to show, or another program has the port.
    """
    uri = os.environ.get("MLFLOW_TRACKING_URI") or "sqlite:///mlflow.db"
    name = StoreURI.parse(uri)
    if name.database is None:  # not shown: an address may hold a password
        raise InputError(
            "The server that MLFLOW_TRACKING_URI names has pages of its own: open them there."
        )
    if not name.database.exists():
        raise InputError(f"There are no runs to show: {name} is not there. `make run` makes one.")
    refuse_taken(port, "ui")
    store = Store(Experiment(uri, EXPERIMENT, "mlartifacts", reading=True))
    page = runs_page(store.experiment.id) if store.experiment.id else "#/experiments"
    sys.stdout.write(f"Open http://{HOST}:{port}/{page}   (Ctrl-C ends it)\n")
    sys.stdout.flush()  # this process becomes another
    mlflow = [sys.executable, "-m", "mlflow", "ui", "--host", HOST, "--port", port]
    mlflow += ["--uvicorn-opts", "--log-level warning"]  # the address stays in sight
    os.execv(sys.executable, [*mlflow, "--backend-store-uri", name.text])


def refuse_taken(port: str, target: str) -> None:
    """Refuse a port that is none, or that another program listens on.

    Args:
        port: as it was given.
        target: of the Makefile, that takes another.

    Raises:
        InputError: if it is.
    """
    try:
        number = int(port)
        with socket.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((HOST, number))
    except (ValueError, OverflowError, OSError) as error:
        raise InputError(
            f"Port {port} cannot be used ({error}); name another: make {target} PORT=..."
        ) from error


if __name__ == "__main__":
    try:
        serve(sys.argv[1])
    except InputError as problem:
        sys.stderr.write(f"{problem}\n")
        sys.exit(2)
