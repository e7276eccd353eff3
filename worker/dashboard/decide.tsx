/** @jsxImportSource hono/jsx */
import type { Child } from "hono/jsx";

/**
 * The way on, by a form that is sent to `action`, and the way back. `children`: what is sent along; `isHarmless`: of a way on that
 * takes nothing away yet.
 */
export function Decide(props: {
  action: string;
  done: string;
  back: string;
  isHarmless?: boolean;
  children?: Child;
}) {
  const { action, done, back, isHarmless = false, children } = props;
  return (
    <div class="actions">
      <form method="post" action={action}>
        {children}
        <button type="submit" class={isHarmless ? "" : "danger"}>
          {done}
        </button>
      </form>
      <a class="button" href={back}>
        Leave it as it is
      </a>
    </div>
  );
}
