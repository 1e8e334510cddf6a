"""Images of a node that have containers, and those that give way."""

from __future__ import annotations

import json
from typing import Any, cast

import pytest

from rlplatform.errors import SandboxFault
from rlplatform.sandbox.docker_engine import GUEST_LABEL, PACKAGES_LABEL, Engine, Image
from rlplatform.sandbox.images.builder import guest_digest
from rlplatform.sandbox.images.catalog import ImageCatalog
from rlplatform.sandbox.models import NodeImage, Tier, image_name, image_tag
from rlplatform.sandbox.pool.image_pools import ImagePools, Lane
from tests.waiting import comes_true


class Shelf:
    """Stands for the containers of one lane."""

    def __init__(self, name: str) -> None:
        self.name, self.closed = name, False

    def ids(self) -> set[str]:
        return set() if self.closed else {self.name}

    def renew_leases(self) -> None: ...

    def close(self) -> None:
        self.closed = True


class Node:
    """An engine with images, and the pools over it; the image *base* is the default."""

    def __init__(self, *names: str, keep: int = 2) -> None:
        self.digests = {name: f"sha256:{name}" for name in ("base", *names)}
        self.guest = guest_digest()
        self.shelves: dict[str, Shelf] = {}
        self.pools = ImagePools(ImageCatalog(cast(Engine, self), "base"), self._lane, keep)
        self.use("base")

    def image(self, name: str) -> Image | None:
        digest = self.digests.get(image_name(name))
        labels = {GUEST_LABEL: self.guest, PACKAGES_LABEL: json.dumps({"numpy": "2.0"})}
        return None if digest is None else Image(name, digest, labels, 100, "2026-01-01T00:00:00Z")

    def images(self, label: str) -> list[Image]:
        assert label == f"{GUEST_LABEL}={self.guest}"
        return [image for name in self.digests if (image := self.image(image_tag(name)))]

    def use(self, name: str | None) -> None:
        containers = self.pools.acquire(name)
        containers.lane(Tier.SINGLE_USE)
        self.pools.release(containers)

    def _lane(self, image: NodeImage, tier: Tier) -> Lane:
        self.shelves[image.digest] = shelf = Shelf(f"{image.digest} {tier.value}")
        return Lane(cast(Any, shelf), cast(Any, None))

    def serving(self) -> set[str]:
        return {digest.removeprefix("sha256:") for digest, shelf in self.shelves.items() if not shelf.closed}


def test_an_image_has_containers_once_it_is_used() -> None:
    node = Node("a")
    assert node.serving() == {"base"}
    node.use("a")
    assert node.serving() == {"base", "a"}
    assert node.pools.ids() == {"sha256:base single-use", "sha256:a single-use"}


def test_the_image_that_was_not_used_for_longest_gives_way() -> None:
    node = Node("a", "b", keep=3)
    for name in ("a", "b", "a"):
        node.use(name)
    node.digests["c"] = "sha256:c"
    node.use("c")
    assert comes_true(lambda: node.serving() == {"base", "a", "c"}, 5)


def test_the_default_never_gives_way() -> None:
    node = Node("a", "b", keep=1)
    for name in ("a", "b"):
        node.use(name)
    node.pools.refresh()
    assert comes_true(lambda: node.serving() == {"base"}, 5)


def test_what_is_in_use_stays_until_it_is_not() -> None:
    node = Node("a", "b", keep=1)
    held = node.pools.acquire("a")
    held.lane(Tier.SINGLE_USE)
    node.use("b")
    node.pools.refresh()
    assert comes_true(lambda: node.serving() == {"base", "a"}, 5)
    node.pools.release(held)
    node.pools.refresh()
    assert comes_true(lambda: node.serving() == {"base"}, 5)


def test_an_image_that_was_built_again_is_used_as_it_is_now() -> None:
    node = Node("a", keep=4)
    node.use("a")
    node.digests["a"] = "sha256:newer"
    node.pools.refresh()
    node.use("a")
    assert comes_true(lambda: node.serving() == {"base", "newer"}, 5)


def test_a_removed_image_is_unknown_and_its_containers_end() -> None:
    node = Node("a", keep=4)
    node.use("a")
    del node.digests["a"]
    node.pools.refresh()
    assert comes_true(lambda: node.serving() == {"base"}, 5)
    with pytest.raises(SandboxFault, match="no image 'a'"):
        node.use("a")
    assert [image.name for image in node.pools.images()] == ["base"]


def test_the_default_outlives_its_name() -> None:
    node = Node()
    node.digests.clear()
    node.pools.refresh()
    node.use(None)
    node.use("base")
    assert node.pools.images()[0].packages == {"numpy": "2.0"}


def test_an_image_that_has_just_been_built_is_found_at_once() -> None:
    node = Node()
    node.digests["new"] = "sha256:new"
    node.use("new")
    assert node.serving() == {"base", "new"}
