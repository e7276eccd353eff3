import { KeptText } from "./kept-text.ts";
import STYLE from "./style.css";

/** The pages' stylesheet. */
export const stylesheet = new KeptText({ folder: "style", extension: "css", type: "text/css", text: STYLE });
