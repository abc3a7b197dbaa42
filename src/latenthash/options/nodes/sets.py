"""What sets of the field take, as options: nothing, for their figures are defined."""

from typing import Literal

from pydantic import Field

from latenthash.options.kinds import Node


class DISC21(Node):
    """`latenthash.benchmark.disc21.DISC21`."""

    target: Literal["latenthash.benchmark.disc21.DISC21"] = Field(alias="_target_")


class Copydays(Node):
    """`latenthash.benchmark.copydays.Copydays`."""

    target: Literal["latenthash.benchmark.copydays.Copydays"] = Field(alias="_target_")
