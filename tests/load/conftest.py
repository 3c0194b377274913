"""Property-based tests here are judged by what they find, not by how long a busy machine takes over an example."""

from __future__ import annotations

import hypothesis

hypothesis.settings.register_profile("without deadline", deadline=None)
hypothesis.settings.load_profile("without deadline")
