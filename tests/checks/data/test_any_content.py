"""Whatever stands in the fields of an annotation file, checking it ends in findings."""

from __future__ import annotations

import copy

import pytest

from hrnet_plugin.checks.data import check_coco

JUNK = [
    None,
    "text",
    [],
    {},
    [[]],
    [None] * 4,
    -1,
    10**400,
    1e400,
    float("nan"),
    True,
    ["1", "2"],
    {"a": 1},
    [10**400] * 4,
]
FIELDS = [
    *(("annotations", name) for name in ("id", "image_id", "category_id", "bbox", "area", "iscrowd", "keypoints")),
    ("annotations", "num_keypoints"),
    *(("images", name) for name in ("id", "file_name", "width", "height")),
    *(("categories", name) for name in ("id", "name", "keypoints", "skeleton")),
]


@pytest.mark.parametrize(("rows", "field"), FIELDS, ids=[f"{rows}.{field}" for rows, field in FIELDS])
def test_anything_in_a_field(people, rows, field):
    content = people.content
    for junk in JUNK:
        for everywhere in (False, True):
            people.content = copy.deepcopy(content)
            for row in people.content[rows][None if everywhere else 0 : None if everywhere else 1]:
                row[field] = junk
            report = check_coco(people.write(), people.images)
            assert all("\n" not in finding.line() for finding in report.findings)
