"""The pictures people look at, each a matplotlib Figure made from arrays alone."""

from latenthash.plots.benchmark import edit_heatmap, nearest_impostors, strength_curves
from latenthash.plots.diagrams import persistence_diagrams
from latenthash.plots.digits import digit_scatter, prior_map
from latenthash.plots.explanation import explanation
from latenthash.plots.latents import Plane, decoded_map, distance_histogram, latent_scatter
from latenthash.plots.rates import edit_bars
from latenthash.plots.sheets import contact_sheet, prior_samples, reconstructions
from latenthash.plots.sweeps import Scatter, comparison
from latenthash.plots.tuning import confusion, training_curves

__all__ = [
    "Plane",
    "Scatter",
    "comparison",
    "confusion",
    "contact_sheet",
    "decoded_map",
    "digit_scatter",
    "distance_histogram",
    "edit_bars",
    "edit_heatmap",
    "explanation",
    "latent_scatter",
    "nearest_impostors",
    "persistence_diagrams",
    "prior_map",
    "prior_samples",
    "reconstructions",
    "strength_curves",
    "training_curves",
]
