"""The pictures people look at, each a matplotlib Figure made from arrays alone."""

from latenthash.plots.diagrams import persistence_diagrams
from latenthash.plots.latents import Plane, decoded_map, distance_histogram, latent_scatter
from latenthash.plots.rates import comparison, edit_bars
from latenthash.plots.sheets import contact_sheet, reconstructions

__all__ = [
    "Plane",
    "comparison",
    "contact_sheet",
    "decoded_map",
    "distance_histogram",
    "edit_bars",
    "latent_scatter",
    "persistence_diagrams",
    "reconstructions",
]
