# SPDX-License-Identifier: Apache-2.0
"""The Python half of weir's host for data sources. Users need only `registry`."""
