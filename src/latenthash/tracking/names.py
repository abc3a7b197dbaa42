"""The names that runs carry in MLflow: tags and artifacts."""

KIND, FINGERPRINT, OVERRIDES = "latenthash.kind", "latenthash.fingerprint", "latenthash.overrides"
FOLDER = "latenthash.folder"  # tag of a run: URI of the folder that its paths are relative to
PROCESS = "latenthash.process"  # tag: which process of which machine the run is of
HAS_BUNDLE = "latenthash.bundle"  # tag of a run that can be evaluated
RECORDED = "latenthash.record"  # tag: the token of the record in the run's output folder
JOB, SWEEP, BENCHMARK = "job", "sweep", "benchmark"  # values of KIND
# Tags of a sweep's parent.
REUSED = "latenthash.reused."  # this + run id -> the overrides it stands for
JOB_AT = "latenthash.job."  # this + the job's number -> its overrides
POOLED = "latenthash.pooled"  # the parameter that its summary leaves out
# MLflow's own tags.
PARENT, RUN_NAME = "mlflow.parentRunId", "mlflow.runName"
LONGEST_NAME = 250  # letters of a run's name that a server on PostgreSQL takes
NOTE = "mlflow.note.content"  # Markdown, which its UI shows above all else
LOGGED_TABLES = "mlflow.loggedArtifacts"  # by which its UI finds tables
# Artifacts.
LATEST = "latest"  # what a user calls the newest run that left a bundle
BUNDLE, MODEL = "bundle", "model"  # folders: what a run leaves
HELD_OUT, TEST_LATENTS, CENTROID = "held_out", "test_latents", "centroid"  # tables
COMPARISON, SUMMARY = "comparison", "summary"  # tables of a sweep; the first is a figure, too
