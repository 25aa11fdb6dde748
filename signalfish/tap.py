"""
The command line of ``twistd signalfish``, and the service it starts.
"""

from twisted.application.service import IService, MultiService
from twisted.python.usage import Options as BaseOptions


class Options(BaseOptions):
    """
    Options of ``twistd signalfish``.
    """

    optParameters = [
        ["port", "p", 3536, "The TCP port to listen on.", int],
    ]


def makeService(options: Options) -> IService:
    """
    Everything a server runs, not yet started.
    """
    return MultiService()
