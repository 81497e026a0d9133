/** Imported before Ink, which looks once, while it loads, and then draws nothing where a variable says that this is CI. */
for (const name of Object.keys(process.env)) {
  if (name === 'CI' || name === 'CONTINUOUS_INTEGRATION' || name.startsWith('CI_')) delete process.env[name];
}
