"""What figures of retrieval are by their definition."""


def walked(pairs: list[tuple[float, bool]], least: float) -> tuple[float, float]:
    """Walk down all pairs, false ones first among equals: average precision, recall at one."""
    total = sum(true for _, true in pairs)
    found, precision, recall = 0, 0.0, 0.0
    for place, (_, true) in enumerate(sorted(pairs, key=lambda pair: (-pair[0], pair[1])), start=1):
        found += true
        precision += true * found / place / total
        if found / place >= least:
            recall = max(recall, found / total)
    return precision, recall
