/** The database of the kept drawings. It exists once drawings were looked for or kept. */
export const DATABASE = "wgrad-drawings";
