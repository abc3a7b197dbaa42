"""The options that name files."""

from latenthash.options.places import PATHS


def test_paths_are_all_options_that_name_files() -> None:
    assert {"pictures", "run", "groups", "sscd", "dinohash", "signals", "features.weights"} <= PATHS
    assert {"data.signal", "data.unseen", "data.file", "cache.folder", "hydra.run.dir"} <= PATHS
    assert not {"seed", "hashes", "model.latent_dim", "data.reader.background"} & PATHS
