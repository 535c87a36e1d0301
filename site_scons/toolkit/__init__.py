# SPDX-License-Identifier: MIT
"""What the tools of site_tools are made with: SCons with types, a run's state, steps and tasks.

May use: SCons, and every wing of viper.
"""
