"""A lineage as a tree of pictures."""

from matplotlib.figure import Figure

from latenthash.data.reading import Pixels
from latenthash.errors import InputError
from latenthash.plots.lineage import Member, lineage_tree
from latenthash.watermark.lineage import Lineage, Link, Step, bits
from latenthash.watermark.registration import read_thumbnail
from latenthash.watermark.registry import Registry

ASKED, FAULTY, OTHER = "tab:red", "tab:orange", "0.6"  # frames


def draw(lineage: Lineage, registry: Registry) -> Figure:
    """Draw a lineage, with the thumbnails that its manifests hold.

    Args:
        lineage: traced in the registry.
        registry: where the thumbnails are.
    """
    places = {step.id: i for i, step in enumerate(lineage.steps)}
    members = [
        Member(
            _lines(step),
            step.depth,
            [(places[link.id], _words(link)) for link in step.parents if link.id in places],
            _picture(step, registry),
            ASKED if step.id == lineage.asked else FAULTY if step.fault else OTHER,
        )
        for step in lineage.steps
    ]
    conflicts = f", {len(lineage.conflicts)} in conflict" if lineage.conflicts else ""
    title = f"Lineage of {lineage.asked.hex()}: {len(members)} pictures{conflicts}"
    return lineage_tree(members, title)


def _lines(step: Step) -> list[str]:
    if step.seq is None:
        return [step.id.hex(), "not in this registry"]
    owner = step.owner if len(step.owner) <= 28 else f"{step.owner[:25]}..."
    edits = ", ".join(step.edits[:2]) + (" ..." if len(step.edits) > 2 else "")
    fault = ["row or order is at fault"] if step.fault else []
    return [step.id.hex(), f"row {step.seq}, {owner}", step.created, *filter(None, [edits]), *fault]


def _words(link: Link) -> str:
    part = "" if link.relation == "parentOf" else "part"
    return part if link.distance is None else f"{part} {bits(link.distance)}".strip()


def _picture(step: Step, registry: Registry) -> Pixels | None:
    """Return the thumbnail; None where there is none that can be shown."""
    row = registry.get(step.id)
    if row is None or row.signed is None:
        return None
    try:
        return read_thumbnail(row.signed.manifest.jpeg)
    except InputError:
        return None
