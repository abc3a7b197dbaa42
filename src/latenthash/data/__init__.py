"""Pictures, their edits and views, and the splits that protocol and training draw from them.

The only package that knows albumentations.
"""

import os

# albumentations asks a server for its newest version at import unless told not to.
os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")
