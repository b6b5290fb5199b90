"""Hashes of files, and those that published names begin with."""

from __future__ import annotations

import csv
import hashlib

import pytest

from hrnet_plugin.published.hashes import file_sha256, hash_in_name, is_digest, matches


def test_a_file_larger_than_a_piece(tmp_path):
    content = bytes(range(256)) * 5000
    (tmp_path / "a").write_bytes(content)
    assert file_sha256(tmp_path / "a") == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize(
    ("name", "digits"),
    [
        ("hrnet_w32-36af842e.pth", "36af842e"),
        ("td-hm_hrnet-w32_8xb64-210e_coco-256x192-81c58e40_20220909.pth", "81c58e40"),
        ("cid_hrnet-w32_8xb20-140e_coco-512x512_42b7e6e6-20230207.pth", "42b7e6e6"),
        ("fcn_hr18s_512x1024_40k_cityscapes_20200601_014216-93db27d0.pth", "93db27d0"),
        ("hrnet-w64_3rdparty_8xb32_in1k_20220120-19126642.pth", "19126642"),
        ("hrnet_w48_animalpose_256x256-34644726_20210426.pth", "34644726"),
        ("net-" + "0123456789abcdef" * 4 + ".safetensors", "0123456789abcdef" * 4),
        ("td-hm_hrnet-w32_8xb64-210e_exlpose-ll-256x192.pth", ""),
        ("net-20220120.pth", ""),
        ("net-36af842.pth", ""),
        ("net-36AF842E.pth", ""),
        ("36af842e.pth", ""),
    ],
)
def test_digits_in_a_name(name, digits):
    assert hash_in_name(name) == digits


def test_every_published_name_but_one_has_digits(shared_dir):
    with (shared_dir / "published" / "hrnet_metrics.tsv").open(encoding="utf-8") as file:
        names = {row["weights"].rpartition("/")[2] for row in csv.DictReader(file, delimiter="\t") if row["weights"]}
    assert len(names) > 150
    assert {name for name in names if not hash_in_name(name)} == {"td-hm_hrnet-w32_8xb64-210e_exlpose-ll-256x192.pth"}


def test_digits_are_compared_from_the_beginning_and_none_match_nothing():
    digest = hashlib.sha256(b"").hexdigest()
    assert matches(digest, digest)
    assert matches(digest, digest[:8].upper())
    for wrong in ("", digest[:7], digest[1:9], digest + "0", "00000000"):
        assert not matches(digest, wrong)
    assert not is_digest("g" * 8)
