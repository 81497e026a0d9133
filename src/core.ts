/**
 * All that a build with nothing to do loads. The bundle imports this file in front of every module (`--inject`), so that all of it becomes one
 * file, whichever part of the program is entered first: opening one file costs less than opening fifty. What is not reached from here by static
 * imports stays in files of its own. Nothing imports this file by name.
 */
import './cli/program.ts';
import './engine/build.ts';
import './engine/project.ts';
import './index.ts';
