/** @jsxImportSource hono/jsx */

/** A field of a form with the values that it can have. */
export function Choice(props: {
  name: string;
  title: string;
  chosen: string;
  choices: readonly (readonly [value: string, text: string])[];
}) {
  return (
    <label>
      {props.title}
      <select name={props.name}>
        {props.choices.map(([value, text]) => (
          <option value={value} selected={value === props.chosen}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
}
