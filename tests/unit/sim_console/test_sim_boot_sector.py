"""The little program that real QEMU guests of the simulator boot."""

from pharmq_sim.qemu import boot_sector


def test_the_boot_sector() -> None:
    sector = boot_sector("강남 POS" + "x" * 600)
    assert len(sector) == 512
    assert sector[510:] == b"\x55\xaa"
    assert b"?? POSxxx" in sector
    assert b"\r\n> \0" in sector
