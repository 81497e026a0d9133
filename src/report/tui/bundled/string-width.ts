import { widthOf } from '../../width.ts';
import { uncolour } from '../painter.ts';

/**
 * Takes the place of the package of that name where Ink is bundled: frames are cut by these widths too, and the package's classes of Unicode
 * take longer to compile than a frame to draw.
 */
const stringWidth = (text: string): number => widthOf(uncolour(text));

// biome-ignore lint/style/noDefaultExport: Ink imports it so.
export default stringWidth;
