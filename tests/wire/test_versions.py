"""
Tests for :mod:`signalfish.wire.versions`.
"""

from typing import Annotated, Any

from msgspec import UNSET, Struct, UnsetType
from twisted.trial.unittest import SynchronousTestCase

from signalfish.wire.versions import project, since, until


class Leaf(Struct, frozen=True, kw_only=True):
    """
    A member of each kind.
    """

    always: int = 1
    old: Annotated[int | UnsetType, until(2)] = 2
    new: Annotated[int | UnsetType, since(3)] = 3
    emptied: Annotated[tuple[int, ...], until(3, afterwards=())] = (4,)


class Plain(Struct, frozen=True, kw_only=True):
    """
    The same in all versions.
    """

    name: str = "x"
    inner: tuple[int, ...] = (1,)


class Tree(Struct, frozen=True, kw_only=True):
    """
    Leaves in every place that can hold one.
    """

    leaf: Leaf
    leaves: tuple[Leaf, ...]
    perhaps: Leaf | UnsetType = UNSET
    anything: Any = None
    plain: Plain = Plain()


class MarkTests(SynchronousTestCase):
    """
    What a mark on a field does.
    """

    def test_each_version(self):
        """
        A field is there from its first version to its last, both included.
        """
        expected = {
            1: Leaf(new=UNSET),
            2: Leaf(new=UNSET),
            3: Leaf(old=UNSET),
            4: Leaf(old=UNSET, emptied=()),
        }
        self.assertEqual(expected, {version: project(Leaf(), version) for version in expected})

    def test_replacement(self):
        """
        A field with another value afterwards keeps its own value in its last version.
        """
        self.assertEqual((4,), project(Leaf(), 3).emptied)
        self.assertEqual((), project(Leaf(), 4).emptied)

    def test_absent_stays_absent(self):
        """
        A version that knows a field does not invent a value for it.
        """
        self.assertIs(UNSET, project(Leaf(new=UNSET), 3).new)


class ProjectTests(SynchronousTestCase):
    """
    Projection reaches everything inside a value.
    """

    def test_nested(self):
        """
        Structs inside structs, tuples, unions and members of any type are projected.
        """
        leaf, two = Leaf(), project(Leaf(), 2)
        tree = Tree(leaf=leaf, leaves=(leaf, leaf), perhaps=leaf, anything=leaf)
        expected = Tree(leaf=two, leaves=(two, two), perhaps=two, anything=two)
        self.assertEqual(expected, project(tree, 2))

    def test_nothing_there(self):
        """
        Absent members and empty tuples are left alone.
        """
        tree = Tree(leaf=Leaf(), leaves=())
        self.assertEqual(Tree(leaf=project(Leaf(), 2), leaves=()), project(tree, 2))

    def test_tuple(self):
        """
        A tuple is projected item by item.
        """
        self.assertEqual((project(Leaf(), 2), 5), project((Leaf(), 5), 2))

    def test_not_copied(self):
        """
        What no version changes is the same object afterwards.
        """
        plain = Plain()
        self.assertIs(plain, project(plain, 2))
        self.assertEqual("text", project("text", 3))

    def test_original(self):
        """
        The projected value itself keeps all its members.
        """
        leaf = Leaf()
        project(leaf, 2)
        self.assertEqual(Leaf(), leaf)
