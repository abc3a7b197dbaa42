"""The figures of the project: each a function that makes a matplotlib Figure from arrays alone."""

from latenthash.plots.benchmark import edit_heatmap, picture_pairs, strength_curves
from latenthash.plots.code_pair import CodePair, code_pair
from latenthash.plots.decoded import decoded_map, prior_map
from latenthash.plots.diagrams import persistence_diagrams
from latenthash.plots.digits import digit_scatter
from latenthash.plots.distances import distance_histogram, similarity_histogram
from latenthash.plots.explanation import Explanation, explanation
from latenthash.plots.latents import Judged, Shown, latent_scatter
from latenthash.plots.lineage import Member, lineage_tree
from latenthash.plots.marks import marked_pictures, verdict_matrix
from latenthash.plots.plane import Plane
from latenthash.plots.rates import edit_bars
from latenthash.plots.sheets import contact_sheet, prior_samples, reconstructions, view_pairs
from latenthash.plots.sweeps import Scatter, comparison
from latenthash.plots.tuning import confusion, training_curves

__all__ = [
    "CodePair",
    "Explanation",
    "Judged",
    "Member",
    "Plane",
    "Scatter",
    "Shown",
    "code_pair",
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
    "lineage_tree",
    "marked_pictures",
    "persistence_diagrams",
    "picture_pairs",
    "prior_map",
    "prior_samples",
    "reconstructions",
    "similarity_histogram",
    "strength_curves",
    "training_curves",
    "verdict_matrix",
    "view_pairs",
]
