import { createApp } from 'vue'
import App from './App.vue'
import { locale, setLocale } from './i18n'
import { router } from './router'
import { large, setLarge } from './ui/print'
import './styles/tokens.css'
import './styles/base.css'
import './styles/controls.css'

setLocale(locale.value)
setLarge(large.value)
createApp(App).use(router).mount('#app')
