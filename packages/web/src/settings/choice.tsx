import styles from './settings.module.css';

/** One of a few, side by side. */
export function Choice<T extends string>(props: {
  title: string;
  name: string;
  value: T;
  options: readonly (readonly [T, string])[];
  onChoose(value: T): void;
}) {
  return (
    <fieldset className={styles.choice}>
      <legend>{props.title}</legend>
      <div className={styles.options}>
        {props.options.map(([value, text]) => (
          <label key={value}>
            <input type="radio" name={props.name} value={value} checked={value === props.value} onChange={() => props.onChoose(value)} />
            <bdi>{text}</bdi>
          </label>
        ))}
      </div>
    </fieldset>
  );
}
