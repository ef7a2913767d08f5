"""The command `chime-messaging`: drift, adoption and export of channels, on AWS and on the local engine alike."""
