"""The local engine: MiniStack with an Amazon Chime SDK messaging service, in one process on one port."""
